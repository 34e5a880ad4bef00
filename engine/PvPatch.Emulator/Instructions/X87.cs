using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The x87's registers as a stack, and what instructions do at their beginning and end (Intel SDM vol. 1, chapter 8).</summary>
internal static unsafe class X87
{
    /// <summary>C0, C2 and C3 of the status word: what comparisons say.</summary>
    public const int Conditions = 0x4500;

    /// <summary>C0.</summary>
    public const int C0 = 0x100;

    /// <summary>C1.</summary>
    public const int C1 = 0x200;

    /// <summary>C2.</summary>
    public const int C2 = 0x400;

    /// <summary>C3.</summary>
    public const int C3 = 0x4000;

    /// <summary>TOP.</summary>
    public const int TopMask = 0x3800;

    /// <summary>ES and its copy B: an exception that is not masked waits.</summary>
    public const int Pending = 0x8080;

    /// <summary>
    /// Whether an instruction may go on: #NM with CR0.EM or CR0.TS, #MF if an exception waits (Intel SDM vol. 3, 2.5 and 6.15). With
    /// CR0.NE clear a waiting exception is told to the FERR# pin, to which nothing is connected.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsReady(CpuState* cpu, DecodedInstruction* u) =>
        ((cpu->Cr0 & (Cr0Bits.Emulation | Cr0Bits.TaskSwitched)) == 0 && (cpu->Fpu.Status & Pending) == 0) || Refuse(cpu, u, waits: true);

    /// <summary>Whether an instruction that does not wait for exceptions may go on.</summary>
    public static bool IsPresent(CpuState* cpu, DecodedInstruction* u) =>
        (cpu->Cr0 & (Cr0Bits.Emulation | Cr0Bits.TaskSwitched)) == 0 || Refuse(cpu, u, waits: false);

    /// <summary>Begins an instruction without a memory operand.</summary>
    public static bool Begin(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return false;
        cpu->Fpu.LastInstruction = u->Rip;
        cpu->Fpu.LastOpcode = u->Immediate2;
        return true;
    }

    /// <summary>Begins an instruction that reads memory and gives the host address of its operand; null after a fault.</summary>
    public static byte* BeginRead(CpuState* cpu, DecodedInstruction* u, int size)
    {
        if (!IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, size, write: false), size);
        if (host != null)
            NoteData(cpu, u);
        return host;
    }

    /// <summary>Begins an instruction that writes memory; null after a fault, see <see cref="Operands.Modify"/>.</summary>
    public static byte* BeginWrite(CpuState* cpu, DecodedInstruction* u, int size, out bool slow)
    {
        slow = false;
        if (!IsReady(cpu, u))
            return null;
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, size, write: true), size, out slow);
        if (host != null)
            NoteData(cpu, u);
        return host;
    }

    /// <summary>A context for an operation under the present control word.</summary>
    public static ExtendedContext Context(CpuState* cpu) => new(cpu->Fpu.Control);

    /// <summary>
    /// Tells the status word what an operation raised. False if an unmasked exception was found before the operation: then
    /// neither result nor stack may change.
    /// </summary>
    public static bool Complete(CpuState* cpu, ref ExtendedContext context)
    {
        ExtendedExceptions raised = context.Raised;
        ExtendedExceptions unmasked = raised & ExtendedExceptions.Maskable & (ExtendedExceptions)~cpu->Fpu.Control;
        bool stopped = (unmasked & ExtendedExceptions.BeforeOperation) != ExtendedExceptions.None;
        if (stopped)
        {
            raised &= ExtendedExceptions.BeforeOperation | ExtendedExceptions.StackFault;
            context.C1 &= (raised & ExtendedExceptions.StackFault) != ExtendedExceptions.None;
        }

        int status = (cpu->Fpu.Status & ~C1) | (int)raised | (context.C1 ? C1 : 0);
        if (unmasked != ExtendedExceptions.None)
            status |= Pending;
        cpu->Fpu.Status = (ushort)status;
        return !stopped;
    }

    /// <summary>
    /// Whether a store raised an unmasked overflow or underflow: then memory is not written, so nothing was rounded
    /// (Intel SDM vol. 1, 8.5.4 and 8.5.5).
    /// </summary>
    public static bool KeepsMemory(CpuState* cpu, ref ExtendedContext context)
    {
        const ExtendedExceptions OutOfRange = ExtendedExceptions.Overflow | ExtendedExceptions.Underflow;
        if ((context.Raised & OutOfRange & (ExtendedExceptions)~cpu->Fpu.Control) == ExtendedExceptions.None)
            return false;
        context.Raised &= ~ExtendedExceptions.Inexact;
        context.C1 = false;
        return true;
    }

    /// <summary>Sets bits of the status word that a mask names.</summary>
    public static void SetStatus(CpuState* cpu, int mask, int value) =>
        cpu->Fpu.Status = (ushort)((cpu->Fpu.Status & ~mask) | value);

    /// <summary>The number of the register that is ST(<paramref name="place"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Number(CpuState* cpu, int place) => ((cpu->Fpu.Status >> 11) + place) & 7;

    /// <summary>Whether ST(<paramref name="place"/>) is empty.</summary>
    public static bool IsEmpty(CpuState* cpu, int place) => (cpu->Fpu.Used >> Number(cpu, place) & 1) == 0;

    /// <summary>ST(<paramref name="place"/>).</summary>
    public static Float80 Get(CpuState* cpu, int place)
    {
        // SAFETY: Number is below 8.
        int number = Number(cpu, place);
        return new Float80(cpu->Fpu.Mantissa[number], cpu->Fpu.Exponent[number]);
    }

    /// <summary>Writes ST(<paramref name="place"/>), which then is not empty.</summary>
    public static void Set(CpuState* cpu, int place, Float80 value)
    {
        // SAFETY: Number is below 8.
        int number = Number(cpu, place);
        cpu->Fpu.Mantissa[number] = value.Mantissa;
        cpu->Fpu.Exponent[number] = value.High;
        cpu->Fpu.Used |= (byte)(1 << number);
    }

    /// <summary>Empties ST(<paramref name="place"/>).</summary>
    public static void Free(CpuState* cpu, int place) => cpu->Fpu.Used &= (byte)~(1 << Number(cpu, place));

    /// <summary>Adds to TOP.</summary>
    public static void Turn(CpuState* cpu, int by) =>
        SetStatus(cpu, TopMask, (cpu->Fpu.Status + (by << 11)) & TopMask);

    /// <summary>Pushes a value; the caller has seen to the register being empty.</summary>
    public static void Push(CpuState* cpu, Float80 value)
    {
        Turn(cpu, -1);
        Set(cpu, 0, value);
    }

    /// <summary>Pops.</summary>
    public static void Pop(CpuState* cpu)
    {
        Free(cpu, 0);
        Turn(cpu, 1);
    }

    /// <summary>Pops none, one or two registers.</summary>
    public static void Pop(CpuState* cpu, int count)
    {
        for (int i = 0; i < count; i++)
            Pop(cpu);
    }

    private static void NoteData(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->Fpu.LastInstruction = u->Rip;
        cpu->Fpu.LastOpcode = u->Immediate2;
        cpu->Fpu.LastData = Operands.Effective(cpu, u);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Refuse(CpuState* cpu, DecodedInstruction* u, bool waits)
    {
        if ((cpu->Cr0 & (Cr0Bits.Emulation | Cr0Bits.TaskSwitched)) != 0)
            Execution.Raise(cpu, u, Vectors.DeviceNotAvailable);
        else if (waits && (cpu->Cr0 & Cr0Bits.NumericError) != 0)
            Execution.Raise(cpu, u, Vectors.X87Error);
        else
            return true;
        return false;
    }
}
