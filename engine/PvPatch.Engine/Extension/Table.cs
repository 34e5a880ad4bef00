namespace PvPatch.Engine.Extension;

/// <summary>Numbers of tables (ECMA-335, partition II, 22; from 0x30 on the Portable PDB format), and of the heap that tokens can name too.</summary>
internal static class Table
{
    public const int TypeRef = 0x01, TypeDef = 0x02, MethodDef = 0x06, MemberRef = 0x0A, CustomAttribute = 0x0C, StandAloneSig = 0x11,
        TypeSpec = 0x1B, Assembly = 0x20, AssemblyRef = 0x23, MethodSpec = 0x2B, MethodDebugInformation = 0x31, LocalScope = 0x32, CustomDebugInformation = 0x37, UserString = 0x70;

    /// <summary>How many tables there can be: those present are a 64-bit mask.</summary>
    public const int Numbers = 64;

    /// <summary>The token of a row (partition III, 1.9).</summary>
    public static int TokenOf(int table, int row) => (table << 24) | row;
}
