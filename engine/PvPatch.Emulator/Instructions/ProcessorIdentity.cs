using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Who the processor says it is, to a machine's guest as to a program: a Haswell of Intel's by vendor and model, as C libraries and compilers use what CPUID
/// tells of features only where they know the vendor, with that processor's caches (Intel SDM vol. 2, CPUID). Its brand names it for what it is.
/// </summary>
internal static class ProcessorIdentity
{
    /// <summary>Leaf 1, EAX: family 6, model 3C.</summary>
    public const uint FamilyAndModel = 0x0003_06c3;

    /// <summary>Leaf 2: the caches are in leaf 4.</summary>
    public static CpuidRegisters CacheDescriptors => new(0xff01, 0, 0, 0);

    private const string Brand = "PvPatch simulated x86-64 processor";

    /// <summary>Leaf 0 with the highest leaf that there is.</summary>
    public static CpuidRegisters Vendor(uint highest) => new(highest, Text("Genu"), Text("ntel"), Text("ineI"));

    /// <summary>Leaf 4: L1 for data, L1 for instructions, L2, and L3, which the cores of the package share.</summary>
    public static CpuidRegisters Cache(uint subleaf, int cores) => subleaf switch
    {
        0 => Cache(type: 1, level: 1, ways: 8, sets: 64, sharers: 1, cores),
        1 => Cache(type: 2, level: 1, ways: 8, sets: 64, sharers: 1, cores),
        2 => Cache(type: 3, level: 2, ways: 8, sets: 512, sharers: 1, cores),
        3 => Cache(type: 3, level: 3, ways: 16, sets: 8192, sharers: cores, cores),
        _ => default,
    };

    /// <summary>Leaves 0x80000002 to 0x80000004.</summary>
    public static CpuidRegisters BrandPart(uint leaf)
    {
        string text = Brand.PadRight(48, '\0').Substring((int)(leaf - 0x8000_0002) * 16, 16);
        return new(Text(text[..4]), Text(text[4..8]), Text(text[8..12]), Text(text[12..]));
    }

    private static CpuidRegisters Cache(uint type, uint level, uint ways, uint sets, int sharers, int cores)
    {
        const uint SelfInitializing = 1u << 8;
        const uint LineSize = 64;
        return new(type | (level << 5) | SelfInitializing | ((uint)(sharers - 1) << 14) | ((uint)(cores - 1) << 26), (LineSize - 1) | ((ways - 1) << 22), sets - 1, 0);
    }

    private static uint Text(string four) => four[0] | (uint)four[1] << 8 | (uint)four[2] << 16 | (uint)four[3] << 24;
}
