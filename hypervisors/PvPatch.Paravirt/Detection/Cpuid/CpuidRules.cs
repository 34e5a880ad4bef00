using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>
/// Linux's rules for telling hypervisors apart by CPUID (<c>detect_hypervisor_vendor</c>, arch/x86/kernel/cpu/hypervisor.c):
/// every back end looks for its signature and answers the base it found; the strictly largest answer wins, on equal answers
/// the earlier back end. Nothing but CPUID is looked at and next to nothing is allocated, so a kernel can ask at boot.
/// </summary>
public static class CpuidRules
{
    /// <summary>The first base leaf of a hypervisor.</summary>
    public const uint FirstBase = 0x40000000;

    /// <summary>Bases are searched below this leaf.</summary>
    public const uint EndOfBases = 0x40010000;

    /// <summary>The distance between two bases.</summary>
    public const uint BaseStep = 0x100;

    private const uint HypervisorBitOfEcx = 1u << 31;
    private const uint PrivilegesLeafOffset = 3;

    /// <summary>Says who the hypervisor is.</summary>
    /// <param name="source">Who answers CPUID. About 260 leaves are read; under a hypervisor each costs an exit, a few µs.</param>
    /// <param name="circumstances">What CPUID can't tell.</param>
    /// <param name="seen">Takes every known interface that was met on the way, the lowest base first.</param>
    public static CpuidVerdict Detect(ICpuidSource source, CpuidCircumstances circumstances = default, ICollection<CpuidInterface>? seen = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        bool bit = HasHypervisorBit(source);
        KnownHypervisor[] rows = KnownHypervisors.Rows;
        Span<uint> bases = stackalloc uint[rows.Length];
        bases.Clear();
        Found recognised = FindBases(source, circumstances, rows, bases, seen);
        Found picked = PickAsLinux(source, circumstances, rows, bases, bit);

        if (picked.Row is not null)
            return Verdict(source, picked, pickedByLinux: true, bit, circumstances);
        if (!bit)
            return Bare;
        return recognised.Row is not null
            ? Verdict(source, recognised, pickedByLinux: false, bit, circumstances)
            : Unknown(source);
    }

    /// <summary>Whether CPUID.1:ECX[31] is set: hypervisors set it, processors never do.</summary>
    /// <param name="source">Who answers CPUID.</param>
    public static bool HasHypervisorBit(ICpuidSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.Read(0, 0).Eax >= 1 && (source.Read(1, 0).Ecx & HypervisorBitOfEcx) != 0;
    }

    // One pass over the bases serves all rows: each keeps the lowest base that has its signature and enough leaves.
    // What is returned is the known signature at the highest base, whatever Linux thinks of it.
    private static Found FindBases(ICpuidSource source, CpuidCircumstances circumstances, KnownHypervisor[] rows, Span<uint> bases, ICollection<CpuidInterface>? seen)
    {
        Found recognised = default;
        for (uint leaf = FirstBase; leaf < EndOfBases; leaf += BaseStep)
        {
            CpuidRegisters registers = source.Read(leaf, 0);
            CpuidSignature signature = CpuidSignature.Of(registers);
            KnownHypervisor? known = null;
            for (int i = 0; i < rows.Length; i++)
            {
                KnownHypervisor row = rows[i];
                if (row.Signature != signature || !FitsXenEntry(row, circumstances))
                    continue;

                known = row;
                if (bases[i] == 0 && (row.Scanned || leaf == FirstBase) && HasEnoughLeaves(row, leaf, registers.Eax))
                    bases[i] = leaf;
            }

            if (known is null)
                continue;

            recognised = new Found(known, leaf);
            seen?.Add(new CpuidInterface(leaf, registers.Eax, signature));
        }

        return recognised;
    }

    private static Found PickAsLinux(ICpuidSource source, CpuidCircumstances circumstances, KnownHypervisor[] rows, ReadOnlySpan<uint> bases, bool bit)
    {
        Found picked = default;
        for (int i = 0; i < rows.Length; i++)
        {
            KnownHypervisor row = rows[i];
            if (!row.HasLinuxBackEnd
                || (circumstances.NoParavirt && !row.IgnoresNopv)
                || (row.NeedsHypervisorBit && !bit)
                || bases[i] <= picked.Base
                || !MeetsLeafConditions(source, row, bases[i]))
                continue;

            picked = new Found(row, bases[i]);
        }

        return picked;
    }

    private static bool HasEnoughLeaves(KnownHypervisor row, uint leaf, uint eax) =>
        row.LeavesNeeded == 0 || unchecked(eax - leaf) >= row.LeavesNeeded;

    private static bool FitsXenEntry(KnownHypervisor row, CpuidCircumstances circumstances) => row.XenEntry switch
    {
        XenEntryRule.OnlyPv => circumstances.EnteredAsXenPv,
        XenEntryRule.NotPv => !circumstances.EnteredAsXenPv,
        _ => true,
    };

    private static bool MeetsLeafConditions(ICpuidSource source, KnownHypervisor row, uint found)
    {
        uint maxLeaf = source.Read(found, 0).Eax;
        return maxLeaf >= row.LowestMaxLeaf
            && maxLeaf <= row.HighestMaxLeaf
            && (row.NeededPrivileges == 0 || (source.Read(found + PrivilegesLeafOffset, 0).Eax & row.NeededPrivileges) == row.NeededPrivileges);
    }

    private static CpuidVerdict Verdict(ICpuidSource source, Found found, bool pickedByLinux, bool bit, CpuidCircumstances circumstances)
    {
        KnownHypervisor row = found.Row!;
        uint maxLeaf = Math.Max(source.Read(found.Base, 0).Eax, found.Base + row.GuaranteedLeaves);
        string banner = !pickedByLinux ? KnownHypervisors.BareHardwareBanner
            : row.Kind == HypervisorKind.XenHvm && circumstances.EnteredAsXenPvh ? "Xen PVH"
            : row.BannerName;
        return new CpuidVerdict(row.Kind, row.Name, pickedByLinux, banner, bit, found.Base, maxLeaf, row.Signature);
    }

    private static CpuidVerdict Bare { get; } = new(
        HypervisorKind.BareHardware, KnownHypervisors.NameOf(HypervisorKind.BareHardware), PickedByLinux: false,
        KnownHypervisors.BareHardwareBanner, HypervisorBit: false, Base: 0, MaxLeaf: 0, default);

    private static CpuidVerdict Unknown(ICpuidSource source)
    {
        CpuidRegisters registers = source.Read(FirstBase, 0);
        var verdict = new CpuidVerdict(
            HypervisorKind.Unknown, KnownHypervisors.NameOf(HypervisorKind.Unknown), PickedByLinux: false,
            KnownHypervisors.BareHardwareBanner, HypervisorBit: true, Base: 0, MaxLeaf: 0, default);
        return IsEchoOrEmpty(source, registers)
            ? verdict
            : verdict with { Base = FirstBase, MaxLeaf = registers.Eax, Signature = CpuidSignature.Of(registers) };
    }

    // Intel processors answer a leaf beyond the last basic one with the last basic one's data (SDM vol. 2, CPUID).
    private static bool IsEchoOrEmpty(ICpuidSource source, CpuidRegisters registers) =>
        registers == default || registers == source.Read(source.Read(0, 0).Eax, 0) || CpuidSignature.Of(registers) == default;

    private readonly record struct Found(KnownHypervisor? Row, uint Base);
}
