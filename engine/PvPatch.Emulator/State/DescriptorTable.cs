namespace PvPatch.Emulator.State;

/// <summary>GDTR or IDTR (Intel SDM vol. 3, 2.4).</summary>
public struct DescriptorTable
{
    /// <summary>Linear address of the table.</summary>
    public ulong Base;

    /// <summary>Size of the table in bytes, less one.</summary>
    public ushort Limit;
}
