using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>What the frame tells of the exception behind a signal.</summary>
/// <param name="Vector">Its vector.</param>
/// <param name="ErrorCode">Its error code.</param>
/// <param name="Address">CR2.</param>
internal readonly record struct FaultInfo(uint Vector, uint ErrorCode, ulong Address);

/// <summary>
/// What lies on the stack while a function for a signal runs (Linux, arch/x86/include/asm/sigframe.h, <c>struct
/// rt_sigframe</c>): where it returns to, <c>ucontext</c>, <c>siginfo</c>, and above them a <see cref="FloatFrame"/>.
/// </summary>
internal static unsafe class SignalFrame
{
    private const int RedZone = 128;
    private const int Context = 8;
    private const int Registers = Context + 40;
    private const int Mask = Registers + 256;
    private const int Info = Mask + 8;
    private const int Size = Info + SignalInfo.Size;
    private const int FloatPointer = Registers + 184;
    private const ulong HandlerClears = RFlags.Direction | RFlags.Trap | RFlags.Resume;
    private const ulong ProgramMayChange = 0x5_0dd5;                     // AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF (FIX_EFLAGS)
    private const ulong ContextFlags = 7;                                // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
    private const int StackDisabled = 2;
    private const int OnStack = 1;

    /// <summary>The order of <c>struct sigcontext_64</c>, as numbers of the encoding.</summary>
    private static readonly int[] Order = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4];

    /// <summary>Pushes a frame and lets the thread that has the CPU go on in the function.</summary>
    /// <returns>Whether there was room.</returns>
    public static bool TryPush(LinuxThread thread, Signal signal, SignalInfo info, FaultInfo fault, ulong blocked)
    {
        LinuxProcess process = thread.Process;
        CpuState* cpu = process.Cpu;
        ThreadSignals signals = thread.Signals;
        SignalActions.Flag flags = process.Actions.FlagsOf(signal);
        bool changesStack = flags.HasFlag(SignalActions.Flag.OnStack) && signals.StackSize != 0 && !signals.IsOnStack(cpu->Rsp);
        ulong top = changesStack ? signals.StackStart + signals.StackSize : cpu->Rsp - RedZone;
        ulong floats = (top - FloatFrame.Size) & ~(FloatFrame.Alignment - 1);
        ulong place = ((floats - Size) & ~15ul) - 8;
        if (changesStack && place < signals.StackStart)
            return false;

        Span<byte> frame = stackalloc byte[Size];
        frame.Clear();
        Put(frame, 0, process.Actions.RestorerOf(signal));
        Put(frame, Context, ContextFlags);
        Put(frame, Context + 16, signals.StackStart);
        Put(frame, Context + 24, signals.StackSize == 0 ? StackDisabled : signals.IsOnStack(cpu->Rsp) ? OnStack : 0u);
        Put(frame, Context + 32, signals.StackSize);
        for (int i = 0; i < Order.Length; i++)
            Put(frame, Registers + (8 * i), cpu->Gpr[Order[i]]);
        Put(frame, Registers + 128, cpu->Rip);
        Put(frame, Registers + 136, cpu->RFlags);
        Put(frame, Registers + 144, cpu->Cs.Selector | ((ulong)cpu->Ss.Selector << 48));
        Put(frame, Registers + 152, fault.ErrorCode);
        Put(frame, Registers + 160, fault.Vector);
        Put(frame, Registers + 168, blocked);
        Put(frame, Registers + 176, fault.Address);
        Put(frame, FloatPointer, floats);
        Put(frame, Mask, blocked);
        info.ToBytes(signal).CopyTo(frame[Info..]);

        if (!FloatFrame.TryWrite(process, floats) || !process.Space.TryWrite(place, frame))
            return false;
        cpu->Rip = process.Actions.HandlerOf(signal);
        cpu->Rsp = place;
        cpu->Rdi = (ulong)signal;
        cpu->Rsi = place + Info;
        cpu->Rdx = place + Context;
        cpu->Rax = 0;
        cpu->RFlags &= ~HandlerClears;
        return true;
    }

    /// <summary>Takes the frame off again (sigreturn(2)); the return address was popped.</summary>
    /// <returns>Whether there is one that the registers can be had from.</returns>
    public static bool TryPop(LinuxThread thread)
    {
        LinuxProcess process = thread.Process;
        CpuState* cpu = process.Cpu;
        Span<byte> frame = stackalloc byte[Size];
        if (!process.TryRead(cpu->Rsp - 8, frame) || !FloatFrame.TryLoad(process, Take(frame, FloatPointer)))
            return false;
        for (int i = 0; i < Order.Length; i++)
            cpu->Gpr[Order[i]] = Take(frame, Registers + (8 * i));
        cpu->Rip = Take(frame, Registers + 128);
        cpu->RFlags = (cpu->RFlags & ~ProgramMayChange) | (Take(frame, Registers + 136) & ProgramMayChange);
        thread.Signals.Blocked = Take(frame, Mask);
        return true;
    }

    private static void Put(Span<byte> frame, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(frame[offset..], value);

    private static ulong Take(Span<byte> frame, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(frame[offset..]);
}
