using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>Every instruction that privilege or mode may forbid, at each level of each mode, with IOPL 0 and 3.</summary>
internal static class PrivilegedCases
{
    /// <summary>Instructions that are the same bytes in every mode.</summary>
    private static readonly byte[][] Everywhere =
    [
        [0xfa], // CLI
        [0xfb], // STI
        [0x9c], // PUSHF
        [0x9c, 0x9d], // PUSHF, POPF
        [0x0f, 0x06], // CLTS
        [0x0f, 0x08], // INVD
        [0x0f, 0x09], // WBINVD
        [0x0f, 0x20, 0xc0], // MOV EAX, CR0
        [0x0f, 0x20, 0xd0], // MOV EAX, CR2
        [0x0f, 0x20, 0xd8], // MOV EAX, CR3
        [0x0f, 0x20, 0xe0], // MOV EAX, CR4
        [0x0f, 0x22, 0xd0], // MOV CR2, EAX
        [0x0f, 0x20, 0xc8], // MOV EAX, CR1
        [0x0f, 0x21, 0xf0], // MOV EAX, DR6
        [0x0f, 0x23, 0xc0], // MOV DR0, EAX
        [0x0f, 0x23, 0xf0], // MOV DR6, EAX
        [0x0f, 0x00, 0xc0], // SLDT
        [0x0f, 0x00, 0xc8], // STR
        [0x0f, 0x00, 0xd0], // LLDT
        [0x0f, 0x00, 0xd8], // LTR
        [0x0f, 0x00, 0xe0], // VERR
        [0x0f, 0x00, 0xe8], // VERW
        [0x0f, 0x01, 0xe0], // SMSW
        [0x0f, 0x01, 0xf0], // LMSW
        [0x0f, 0x01, 0xca], // CLAC
        [0x0f, 0x01, 0xcb], // STAC
        [0x0f, 0x01, 0xf8], // SWAPGS
        [0x0f, 0x02, 0xd8], // LAR
        [0x0f, 0x03, 0xd8], // LSL
        [0x63, 0xd8], // ARPL
        [0x0f, 0xaa], // RSM
        [0xe6, 0x80], // OUT
        [0xec], // IN
        [0x6e], // OUTSB
        [0xcd, 0x80], // INT
        [0xcc], // INT3
        [0x0f, 0x34], // SYSENTER
        [0x0f, 0x0b], // UD2
    ];

    /// <summary>Instructions that stop the processor or end the case elsewhere at level 0.</summary>
    private static readonly byte[][] BelowSupervisor =
    [
        [0xf4], // HLT
        [0x0f, 0x30], // WRMSR
        [0x0f, 0x32], // RDMSR
        [0x0f, 0x33], // RDPMC
        [0x0f, 0x35], // SYSEXIT
    ];

    public static IEnumerable<SystemCase> All()
    {
        foreach (SystemMode mode in Enum.GetValues<SystemMode>())
        {
            int[] levels = mode switch
            {
                SystemMode.Real => [0],
                SystemMode.Virtual8086 => [3],
                _ => [0, 1, 3],
            };
            foreach (int level in levels)
            {
                foreach (byte[] code in level == 0 ? Everywhere : [.. Everywhere, .. BelowSupervisor])
                {
                    foreach (ulong flags in level == 0 ? [0ul] : new[] { 0ul, RFlags.IoPrivilegeLevel })
                        yield return Make(mode, level, flags, code);
                }
            }
        }
    }

    private static SystemCase Make(SystemMode mode, int level, ulong flags, byte[] code)
    {
        var one = new SystemCase { Mode = mode, Level = level, Flags = flags, Cr0 = Cr0Bits.NumericError, Cr4 = level == 1 ? Cr4Bits.UserModeInstructionPrevention : 0, Code = code };
        one.General[0] = SystemLayout.OtherTask;
        one.General[3] = 3;
        one.General[2] = 0x600;
        one.General[6] = mode is SystemMode.Real or SystemMode.Virtual8086 ? 0x10 : SystemLayout.Data;
        return one;
    }
}
