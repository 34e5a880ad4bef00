using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux;

/// <summary>Says in words why an instruction could not be executed, and with which signal Linux would have ended the program.</summary>
internal static unsafe class GuestFault
{
    private const int LongestInstruction = 15;

    /// <summary>Describes an exception.</summary>
    /// <param name="cpu">The CPU, stopped there.</param>
    /// <param name="space">The program's memory.</param>
    /// <param name="exception">The exception.</param>
    /// <param name="found">For a page fault: why the page could not be had.</param>
    public static ProgramEnd.Faulted Describe(CpuState* cpu, AddressSpace space, StopReason.Exception exception, Population found)
    {
        (Signal signal, string sentence) = exception.Vector switch
        {
            Vectors.DivideError => (Signal.Arithmetic, "a division by zero, or one whose quotient is too large"),
            Vectors.Debug => (Signal.Trap, "a debug trap"),
            Vectors.Breakpoint => (Signal.Trap, "a breakpoint"),
            Vectors.Overflow => (Signal.Segmentation, "an overflow trap"),
            Vectors.InvalidOpcode => (Signal.IllegalInstruction, "an instruction that this CPU does not have"),
            Vectors.StackFault => (Signal.Bus, "an access through the stack to an address that is none"),
            Vectors.GeneralProtection => (Signal.Segmentation, "an instruction that a program may not execute, or an address that is none"),
            Vectors.PageFault when found == Population.NoMemory => (Signal.Kill, "all memory of the program is used up"),
            Vectors.PageFault when IsFromMemory(exception) => (Signal.Segmentation, Access(exception, found)),
            Vectors.X87Error or Vectors.SimdError => (Signal.Arithmetic, "a floating-point exception"),
            Vectors.AlignmentCheck => (Signal.Bus, "an access to a misaligned address"),
            _ => (Signal.Segmentation, $"interrupt {exception.Vector}, which is not there for programs"),
        };
        return new ProgramEnd.Faulted(signal, sentence, cpu->Rip, TextAt(space, cpu->Rip));
    }

    /// <summary>What a handler for the signal is told (sigaction(2), <c>si_code</c> and <c>si_addr</c>).</summary>
    public static SignalInfo InfoOf(CpuState* cpu, StopReason.Exception exception, Population found)
    {
        const int NotMapped = 1;                                       // SEGV_MAPERR
        const int Forbidden = 2;                                       // SEGV_ACCERR
        const int IllegalOperand = 2;                                  // ILL_ILLOPN
        const int IntegerDivision = 1;                                 // FPE_INTDIV
        const int SingleStep = 2;                                      // TRAP_TRACE
        const int BadAlignment = 1;                                    // BUS_ADRALN
        return exception.Vector switch
        {
            Vectors.PageFault when IsFromMemory(exception) => new SignalInfo(found == Population.Forbidden ? Forbidden : NotMapped, exception.Address),
            Vectors.InvalidOpcode => new SignalInfo(IllegalOperand, cpu->Rip),
            Vectors.DivideError => new SignalInfo(IntegerDivision, cpu->Rip),
            Vectors.Debug => new SignalInfo(SingleStep, cpu->Rip),
            Vectors.X87Error => new SignalInfo(CodeOf(cpu->Fpu.Status & ~(uint)cpu->Fpu.Control), cpu->Rip),
            Vectors.SimdError => new SignalInfo(CodeOf(cpu->Mxcsr & ~(cpu->Mxcsr >> 7)), cpu->Rip),
            Vectors.AlignmentCheck => new SignalInfo(BadAlignment, 0),
            _ => new SignalInfo(SignalInfo.ByKernel, 0),
        };
    }

    /// <summary>The code of SIGFPE for a floating-point exception's flags: invalid, division, overflow, underflow or denormal, inexact.</summary>
    private static int CodeOf(uint flags) => flags switch
    {
        _ when (flags & 1) != 0 => 7,
        _ when (flags & 4) != 0 => 3,
        _ when (flags & 8) != 0 => 4,
        _ when (flags & 0x12) != 0 => 5,
        _ => 6,
    };

    /// <summary>Whether a page fault came from an access, not from INT 14: user mode is then in its error code.</summary>
    public static bool IsFromMemory(StopReason.Exception exception) => (exception.ErrorCode & PageFaultBits.User) != 0;

    /// <summary>What a faulting access wanted.</summary>
    public static Protection Wanted(StopReason.Exception exception)
    {
        if ((exception.ErrorCode & PageFaultBits.Fetch) != 0)
            return Protection.Execute;
        return (exception.ErrorCode & PageFaultBits.Write) != 0 ? Protection.Write : Protection.Read;
    }

    /// <summary>The instruction at an address, as text.</summary>
    public static string TextAt(AddressSpace space, ulong rip)
    {
        byte[] bytes = new byte[LongestInstruction];
        int count = 0;
        while (count < LongestInstruction && space.TryRead(rip + (ulong)count, bytes.AsSpan(count, 1)))
            count++;
        if (count == 0)
            return "nothing is there to execute";
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes, 0, count), rip);
        decoder.Decode(out Instruction instruction);
        if (instruction.IsInvalid)
            return $"no instruction: {Convert.ToHexStringLower(bytes.AsSpan(0, count))}";
        var output = new StringOutput();
        new IntelFormatter().Format(instruction, output);
        return output.ToStringAndReset();
    }

    private static string Access(StopReason.Exception exception, Population found)
    {
        string verb = Wanted(exception) switch
        {
            Protection.Execute => "a jump to",
            Protection.Write => "a write to",
            _ => "a read of",
        };
        ulong address = exception.Address;
        bool overflow = address < AddressSpace.StackBottom && address >= AddressSpace.MappingLimit;
        string place = overflow ? "the program overflowed its stack" : found == Population.Forbidden ? "where the page forbids it" : "where nothing is mapped";
        return $"{verb} 0x{address:x}, {place}";
    }
}
