using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// Every combination of a page's bits, privilege, access and control bits in each kind of paging, executed, against rules
/// written down here from the words of Intel SDM vol. 3, 4.6.1 and 4.7.
/// </summary>
public sealed class SystemPagingTests
{
    private const uint Page = SystemLayout.Data + 0x1000;

    public enum Access
    {
        Read,
        Write,
        Execute,
    }

    public static IEnumerable<TestCaseData> Kinds()
    {
        foreach (SystemMode mode in new[] { SystemMode.Paged32, SystemMode.Pae32, SystemMode.Compatibility, SystemMode.Long64 })
        {
            foreach (bool writeProtect in new[] { false, true })
            {
                foreach (ulong cr4 in new ulong[] { 0, Cr4Bits.Smep, Cr4Bits.Smap, Cr4Bits.Smep | Cr4Bits.Smap })
                {
                    foreach (ExecutionTier tier in EmulatedPc.Tiers(mode))
                        yield return new TestCaseData(mode, writeProtect, cr4, tier).SetArgDisplayNames($"{mode} WP={(writeProtect ? 1 : 0)} CR4={cr4:x} {tier}");
                }
            }
        }
    }

    [TestCaseSource(nameof(Kinds))]
    public void Every_page_answers_every_access_as_the_manual_says(SystemMode mode, bool writeProtect, ulong cr4, ExecutionTier tier)
    {
        var cases = new List<SystemCase>();
        var expected = new List<uint?>();
        foreach (ulong bits in Enumerable.Range(0, 8))
        {
            foreach (bool noExecute in mode is SystemMode.Compatibility or SystemMode.Long64 ? [false, true] : new[] { false })
            {
                foreach (int level in new[] { 0, 3 })
                {
                    foreach (bool alignmentCheck in level == 0 ? [false, true] : new[] { false })
                    {
                        foreach (Access access in Enum.GetValues<Access>())
                        {
                            cases.Add(Make(mode, writeProtect, cr4, bits | (noExecute ? 1ul << 63 : 0), level, alignmentCheck, access));
                            bool fetchBit = (cr4 & Cr4Bits.Smep) != 0 || mode is SystemMode.Compatibility or SystemMode.Long64;
                            expected.Add(ErrorCode(writeProtect, cr4, bits, noExecute, level == 3, alignmentCheck, access, fetchBit));
                        }
                    }
                }
            }
        }

        using var pc = new EmulatedPc(cases, tier);
        List<SystemResult> results = SystemResult.Parse(cases, pc.Run());
        Assert.Multiple(() =>
        {
            for (int i = 0; i < cases.Count; i++)
            {
                uint? found = results[i].Vector == Vectors.PageFault ? (uint)results[i].Frame[0] : null;
                Assert.That(found, Is.EqualTo(expected[i]), SystemCaseText.Format(cases[i], results[i]));
                if (found != null)
                    Assert.That(results[i].System[1], Is.EqualTo(Page), "CR2");
            }
        });
    }

    /// <summary>The pages that the case itself lives on belong to its own level, so that SMEP and SMAP judge the one page alone.</summary>
    private static SystemCase Make(SystemMode mode, bool writeProtect, ulong cr4, ulong entry, int level, bool alignmentCheck, Access access)
    {
        byte[] absolute = BitConverter.GetBytes(Page);
        byte[] code = access switch
        {
            Access.Read => mode == SystemMode.Long64 ? [0x8a, 0x04, 0x25, .. absolute] : [0x8a, 0x05, .. absolute],
            Access.Write => mode == SystemMode.Long64 ? [0x88, 0x04, 0x25, .. absolute] : [0x88, 0x05, .. absolute],
            _ => [0xb8, .. absolute, 0xff, 0xe0],
        };
        var one = new SystemCase
        {
            Mode = mode,
            Level = level,
            Flags = alignmentCheck ? RFlags.AlignmentCheck : 0,
            Cr0 = Cr0Bits.NumericError | (writeProtect ? Cr0Bits.WriteProtect : 0),
            Cr4 = cr4,
            Code = code,
        };
        uint size = mode == SystemMode.Paged32 ? 4u : 8;
        uint tables = SystemLayout.PageTables + (mode switch { SystemMode.Paged32 => 0x1000u, SystemMode.Pae32 => 0x2000, _ => 0x3000 });
        for (uint page = 0; page < 0x100; page++)
        {
            bool own = level == 3 && page << 12 is SystemLayout.Code or (SystemLayout.UserStack & ~0xfffu);
            ulong bits = page << 12 == Page ? entry : own ? 0x67ul : 0x63;
            one.Memory[tables + (page * size)] = BitConverter.GetBytes(((ulong)page << 12) | bits)[..(int)size];
        }

        one.Memory[Page] = [0x0f, 0x0b];
        return one;
    }

    private static uint? ErrorCode(
        bool writeProtect, ulong cr4, ulong bits, bool noExecute, bool user, bool alignmentCheck, Access access, bool fetchBit)
    {
        bool present = (bits & 1) != 0, writable = (bits & 2) != 0, userPage = (bits & 4) != 0;
        uint about = (access == Access.Write ? 2u : 0) | (user ? 4u : 0) | (access == Access.Execute && fetchBit ? 16u : 0);
        if (!present)
            return about;
        bool allowed = (user, userPage) switch
        {
            (true, false) => false,
            (true, true) => access == Access.Read || (access == Access.Write ? writable : !noExecute),
            (false, false) => access == Access.Read || (access == Access.Write ? writable || !writeProtect : !noExecute),
            (false, true) => access == Access.Execute
                ? !noExecute && (cr4 & Cr4Bits.Smep) == 0
                : ((cr4 & Cr4Bits.Smap) == 0 || alignmentCheck) && (access == Access.Read || writable || !writeProtect),
        };
        return allowed ? null : about | 1;
    }
}
