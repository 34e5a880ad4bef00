using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>The registers that belong to a thread: all that a program can see of the CPU.</summary>
internal unsafe struct UserRegisters
{
    /// <summary>RAX to R15, in the encoding's order.</summary>
    public fixed ulong Gpr[16];

    /// <summary>XMM0 to XMM15.</summary>
    public fixed ulong Xmm[32];

    /// <summary>The upper halves of YMM0 to YMM15.</summary>
    public fixed ulong YmmHigh[32];

    /// <summary>RIP.</summary>
    public ulong Rip;

    /// <summary>RFLAGS.</summary>
    public ulong RFlags;

    /// <summary>Base of FS.</summary>
    public ulong FsBase;

    /// <summary>Base of GS.</summary>
    public ulong GsBase;

    /// <summary>MXCSR.</summary>
    public uint Mxcsr;

    /// <summary>x87 and MMX.</summary>
    public FpuState Fpu;

    /// <summary>A program's at its first instruction (System V ABI, AMD64 supplement, 3.4.1).</summary>
    public static UserRegisters AtStart(ulong rip, ulong rsp)
    {
        const uint DefaultMxcsr = 0x1f80;
        const ushort DefaultControl = 0x37f;
        var start = new UserRegisters { Rip = rip, RFlags = State.RFlags.Fixed | State.RFlags.InterruptEnable, Mxcsr = DefaultMxcsr };
        start.Fpu.Control = DefaultControl;
        start.SetStack(rsp);
        return start;
    }

    /// <summary>What the CPU holds.</summary>
    public static UserRegisters Of(CpuState* cpu)
    {
        var saved = new UserRegisters { Rip = cpu->Rip, RFlags = cpu->RFlags, FsBase = cpu->Fs.Base, GsBase = cpu->Gs.Base, Mxcsr = cpu->Mxcsr, Fpu = cpu->Fpu };
        new ReadOnlySpan<ulong>(cpu->Gpr, 16).CopyTo(new Span<ulong>(saved.Gpr, 16));
        new ReadOnlySpan<ulong>(cpu->Xmm, 32).CopyTo(new Span<ulong>(saved.Xmm, 32));
        new ReadOnlySpan<ulong>(cpu->YmmHigh, 32).CopyTo(new Span<ulong>(saved.YmmHigh, 32));
        return saved;
    }

    /// <summary>Sets RAX, where a system call's result is.</summary>
    public void SetResult(ulong result) => Gpr[0] = result;

    /// <summary>Sets RSP.</summary>
    public void SetStack(ulong address) => Gpr[4] = address;

    /// <summary>Gives them to the CPU.</summary>
    public readonly void Load(CpuState* cpu)
    {
        cpu->Rip = Rip;
        cpu->RFlags = RFlags;
        cpu->Fs.Base = FsBase;
        cpu->Gs.Base = GsBase;
        cpu->Mxcsr = Mxcsr;
        cpu->Fpu = Fpu;
        fixed (ulong* gpr = Gpr, xmm = Xmm, ymmHigh = YmmHigh)
        {
            new ReadOnlySpan<ulong>(gpr, 16).CopyTo(new Span<ulong>(cpu->Gpr, 16));
            new ReadOnlySpan<ulong>(xmm, 32).CopyTo(new Span<ulong>(cpu->Xmm, 32));
            new ReadOnlySpan<ulong>(ymmHigh, 32).CopyTo(new Span<ulong>(cpu->YmmHigh, 32));
        }
    }
}
