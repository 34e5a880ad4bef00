namespace PvPatch.Emulator.Translator;

/// <summary>How translated code calls the sensitive ops.</summary>
public enum SensitiveBinding
{
    /// <summary>As what the slot holds asks for: nothing, a constant, the target's own code, a direct call.</summary>
    Patched,

    /// <summary>Through the slot.</summary>
    Indirect,
}
