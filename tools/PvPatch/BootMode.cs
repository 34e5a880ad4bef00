namespace PvPatch.Tool;

/// <summary>By which of the engine's ways the guest is patched.</summary>
internal enum BootMode
{
    /// <summary>Its files are patched before they are loaded; the patched kernel goes on from the memory that the first one left.</summary>
    Image,

    /// <summary>Its files are loaded as they are and patched in memory, before their code is compiled; that kernel goes on as in <see cref="Image"/>.</summary>
    InPlace,

    /// <summary>The kernel that ran hot through its slots is patched in memory, and its compiled methods are led to patched copies.</summary>
    Late,
}
