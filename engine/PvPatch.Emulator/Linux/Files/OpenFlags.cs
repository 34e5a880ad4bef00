namespace PvPatch.Emulator.Linux.Files;

/// <summary>The flags of open(2) on x86-64.</summary>
internal static class OpenFlags
{
    public const int AccessMask = 3;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int NonBlocking = 0x800;
    public const int Directory = 0x1_0000;
    public const int NoFollow = 0x2_0000;
    public const int CloseOnExec = 0x8_0000;
    public const int PathOnly = 0x20_0000;
}
