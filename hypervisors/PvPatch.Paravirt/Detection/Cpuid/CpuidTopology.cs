namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>How many processors CPUID tells of.</summary>
public static class CpuidTopology
{
    private const uint ExtendedTopology = 0xb;

    /// <summary>Logical processors of the package: leaf 0xb, level 1, else leaf 1 (Intel SDM vol. 3, 8.9); at least 1.</summary>
    /// <param name="source">Who answers CPUID.</param>
    public static int CountCpus(ICpuidSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        uint highest = source.Read(0, 0).Eax;
        uint count = highest >= ExtendedTopology ? source.Read(ExtendedTopology, 1).Ebx & 0xffff : 0;
        if (count == 0 && highest >= 1)
            count = source.Read(1, 0).Ebx >> 16 & 0xff;
        return (int)Math.Max(count, 1);
    }
}
