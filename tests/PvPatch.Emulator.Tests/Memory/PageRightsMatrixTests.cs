using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

/// <summary>
/// Every combination of entry bits, privilege, kind of access and control bits, against rules written down here from the
/// words of Intel SDM vol. 3, 4.6.1 ("Determination of Access Rights") and 4.7 ("Page-Fault Exceptions").
/// </summary>
public sealed unsafe class PageRightsMatrixTests
{
    private const ulong Linear = 0x40_0000_0000;
    private const ulong Frame = 0x20_0000;

    public static IEnumerable<TestCaseData> ControlBits()
    {
        for (int bits = 0; bits < 32; bits++)
        {
            var control = new Control((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0);
            yield return new TestCaseData(control).SetArgDisplayNames(control.ToString());
        }
    }

    [TestCaseSource(nameof(ControlBits))]
    public void Every_combination_of_entry_privilege_and_access_does_what_the_manual_says(Control control)
    {
        var differences = new List<string>();
        int combinations = 0;
        using PagedCpu cpu = Prepare(control);
        foreach (Entry leaf in Entries())
        {
            foreach (Entry upper in Entries())
            {
                cpu.Unmap();
                cpu.Map(Linear, Frame, leaf.Bits, upper: upper.Bits);
                foreach (int privilege in new[] { 0, 3 })
                {
                    foreach (AccessKind kind in Enum.GetValues<AccessKind>())
                    {
                        cpu.SetPrivilege(privilege);
                        Tlb.Flush(cpu.State);
                        uint? expected = ExpectedErrorCode(control, upper, leaf, privilege == 3, kind);
                        MemoryFault? cold = cpu.Access(Linear, kind);
                        MemoryFault? warm = cpu.Access(Linear, kind);
                        combinations++;
                        if (cold?.ErrorCode != expected || warm != cold || (cold is { } fault && (fault.Vector != 14 || fault.Address != Linear)))
                            differences.Add($"{upper} over {leaf}, CPL {privilege}, {kind}: expected {expected}, was {cold}, then {warm}");
                    }
                }
            }
        }

        Assert.That(differences, Is.Empty);
        Assert.That(combinations, Is.EqualTo(16 * 16 * 2 * 3));
    }

    private static PagedCpu Prepare(Control control)
    {
        var cpu = new PagedCpu();
        cpu.State->Cr0 |= control.WriteProtect ? Cr0Bits.WriteProtect : 0;
        cpu.State->Cr4 |= (control.Smep ? Cr4Bits.Smep : 0) | (control.Smap ? Cr4Bits.Smap : 0);
        cpu.State->RFlags |= control.AlignmentCheck ? RFlags.AlignmentCheck : 0;
        if (!control.NoExecute)
            cpu.State->Efer &= ~EferBits.NoExecuteEnable;
        return cpu;
    }

    private static IEnumerable<Entry> Entries() =>
        Enumerable.Range(0, 16).Select(bits => new Entry((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0));

    /// <summary>The error code, null if the access is allowed.</summary>
    private static uint? ExpectedErrorCode(Control control, Entry upper, Entry leaf, bool user, AccessKind kind)
    {
        bool fetch = kind == AccessKind.Execute;
        uint about = (kind == AccessKind.Write ? 2u : 0) | (user ? 4u : 0) | (fetch && (control.NoExecute || control.Smep) ? 16u : 0);
        foreach (Entry entry in new[] { upper, leaf })
        {
            // "There is no translation for the linear address": P is 0, and then only P counts.
            if (!entry.Present)
                return about;

            // "If IA32_EFER.NXE = 0, the XD bit is reserved" and a reserved bit sets P and RSVD.
            if (entry.NoExecute && !control.NoExecute)
                return about | 1 | 8;
        }

        // "Every linear address is either a supervisor-mode address or a user-mode address": user if U/S is 1 everywhere.
        bool userAddress = upper.User && leaf.User;
        bool writable = upper.Writable && leaf.Writable;
        bool noExecute = upper.NoExecute || leaf.NoExecute;
        bool allowed = (user, userAddress) switch
        {
            (true, false) => false,
            (true, true) => kind switch
            {
                AccessKind.Read => true,
                AccessKind.Write => writable,
                _ => !noExecute,
            },
            (false, false) => kind switch
            {
                AccessKind.Read => true,
                AccessKind.Write => writable || !control.WriteProtect,
                _ => !noExecute,
            },
            (false, true) => kind switch
            {
                AccessKind.Read => !control.Smap || control.AlignmentCheck,
                AccessKind.Write => (!control.Smap || control.AlignmentCheck) && (writable || !control.WriteProtect),
                _ => !control.Smep && !noExecute,
            },
        };
        return allowed ? null : about | 1;
    }

    /// <summary>The control bits that access rights depend on.</summary>
    public sealed record Control(bool WriteProtect, bool Smep, bool Smap, bool AlignmentCheck, bool NoExecute)
    {
        public override string ToString() =>
            $"WP={Digit(WriteProtect)} SMEP={Digit(Smep)} SMAP={Digit(Smap)} AC={Digit(AlignmentCheck)} NXE={Digit(NoExecute)}";

        private static int Digit(bool value) => value ? 1 : 0;
    }

    private sealed record Entry(bool Present, bool Writable, bool User, bool NoExecute)
    {
        public ulong Bits => (Present ? 1ul : 0) | (Writable ? 2ul : 0) | (User ? 4ul : 0) | (NoExecute ? 1ul << 63 : 0);

        public override string ToString() =>
            $"{(Present ? 'P' : '-')}{(Writable ? 'W' : '-')}{(User ? 'U' : '-')}{(NoExecute ? 'N' : '-')}";
    }
}
