using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of control and status words and of the environment (Intel SDM vol. 1, 8.1 and 8.3.9).</summary>
internal static unsafe class X87Control
{
    private const ushort InitialControl = 0x37f;
    private const int ControlFixed = 0x40;
    private const int ControlWritable = 0x1f3f;
    private const int Flags = 0x7f;

    /// <summary>FNOP.</summary>
    public static DecodedInstruction* Nothing(CpuState* cpu, DecodedInstruction* u) => X87.IsReady(cpu, u) ? u + 1 : null;

    /// <summary>FNENI, FNDISI and FNSETPM, which do nothing since the 80387 (Intel SDM vol. 3, 22.18.9).</summary>
    public static DecodedInstruction* Obsolete(CpuState* cpu, DecodedInstruction* u) => X87.IsPresent(cpu, u) ? u + 1 : null;

    /// <summary>WAIT: #NM only if CR0.MP and CR0.TS are both set.</summary>
    public static DecodedInstruction* Wait(CpuState* cpu, DecodedInstruction* u)
    {
        const ulong Both = Cr0Bits.MonitorCoprocessor | Cr0Bits.TaskSwitched;
        if ((cpu->Cr0 & Both) == Both)
            return Execution.Raise(cpu, u, Vectors.DeviceNotAvailable);
        if ((cpu->Fpu.Status & X87.Pending) != 0 && (cpu->Cr0 & Cr0Bits.NumericError) != 0)
            return Execution.Raise(cpu, u, Vectors.X87Error);
        return u + 1;
    }

    /// <summary>FNINIT.</summary>
    public static DecodedInstruction* Initialize(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.IsPresent(cpu, u))
            return null;
        Initialize(ref cpu->Fpu);
        return u + 1;
    }

    /// <summary>FNCLEX.</summary>
    public static DecodedInstruction* ClearExceptions(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.IsPresent(cpu, u))
            return null;
        X87.SetStatus(cpu, Flags | X87.Pending, 0);
        return u + 1;
    }

    /// <summary>FLDCW.</summary>
    public static DecodedInstruction* LoadControl(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, 2, write: false), 2);
        if (host == null)
            return null;
        // SAFETY: Read gave the address of 2 readable bytes.
        SetControl(ref cpu->Fpu, Unsafe.ReadUnaligned<ushort>(host));
        return u + 1;
    }

    /// <summary>FNSTCW.</summary>
    public static DecodedInstruction* StoreControl(CpuState* cpu, DecodedInstruction* u) =>
        X87.IsPresent(cpu, u) ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 2, write: true), cpu->Fpu.Control) : null;

    /// <summary>FNSTSW to memory.</summary>
    public static DecodedInstruction* StoreStatus(CpuState* cpu, DecodedInstruction* u) =>
        X87.IsPresent(cpu, u) ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 2, write: true), cpu->Fpu.Status) : null;

    /// <summary>FNSTSW AX.</summary>
    public static DecodedInstruction* StatusToRegister(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.IsPresent(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, cpu->Fpu.Status);
        return u + 1;
    }

    /// <summary>FNSTENV; it masks all exceptions after.</summary>
    public static DecodedInstruction* StoreEnvironment<TLayout>(CpuState* cpu, DecodedInstruction* u)
        where TLayout : IEnvironmentLayout
    {
        byte* host = BeginSave(cpu, u, TLayout.Size, out bool slow);
        if (host == null)
            return null;
        // SAFETY: BeginSave gave Size bytes that may be changed.
        TLayout.Store(cpu, host);
        SetControl(ref cpu->Fpu, (ushort)(cpu->Fpu.Control | (int)ExtendedExceptions.Maskable));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>FNSAVE: the environment, the registers from ST(0) on, then FNINIT.</summary>
    public static DecodedInstruction* Save<TLayout>(CpuState* cpu, DecodedInstruction* u)
        where TLayout : IEnvironmentLayout
    {
        byte* host = BeginSave(cpu, u, TLayout.Size + 80, out bool slow);
        if (host == null)
            return null;
        // SAFETY: BeginSave gave room for the environment and eight registers of ten bytes.
        TLayout.Store(cpu, host);
        for (int i = 0; i < 8; i++)
        {
            byte* place = host + TLayout.Size + (10 * i);
            Float80 value = X87.Get(cpu, i);
            Unsafe.WriteUnaligned(place, value.Mantissa);
            Unsafe.WriteUnaligned(place + 8, value.High);
        }

        Initialize(ref cpu->Fpu);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>FLDENV; what it unmasks waits for the next instruction.</summary>
    public static DecodedInstruction* LoadEnvironment<TLayout>(CpuState* cpu, DecodedInstruction* u)
        where TLayout : IEnvironmentLayout
    {
        byte* host = BeginLoad(cpu, u, TLayout.Size);
        if (host == null)
            return null;
        // SAFETY: BeginLoad gave Size readable bytes.
        TLayout.Load(cpu, host);
        return u + 1;
    }

    /// <summary>FRSTOR.</summary>
    public static DecodedInstruction* Restore<TLayout>(CpuState* cpu, DecodedInstruction* u)
        where TLayout : IEnvironmentLayout
    {
        byte* host = BeginLoad(cpu, u, TLayout.Size + 80);
        if (host == null)
            return null;
        // SAFETY: BeginLoad gave the environment and eight registers of ten bytes; Number is below 8.
        TLayout.Load(cpu, host);
        for (int i = 0; i < 8; i++)
        {
            byte* place = host + TLayout.Size + (10 * i);
            int number = X87.Number(cpu, i);
            cpu->Fpu.Mantissa[number] = Unsafe.ReadUnaligned<ulong>(place);
            cpu->Fpu.Exponent[number] = Unsafe.ReadUnaligned<ushort>(place + 8);
        }

        return u + 1;
    }

    /// <summary>Writes the control word: reserved bits read as hardware has them, and an exception that is now unmasked waits.</summary>
    public static void SetControl(ref FpuState fpu, ushort value)
    {
        fpu.Control = (ushort)((value & ControlWritable) | ControlFixed);
        SetStatus(ref fpu, fpu.Status);
    }

    /// <summary>Writes the status word; ES and B follow from flags and masks.</summary>
    public static void SetStatus(ref FpuState fpu, ushort value)
    {
        bool waits = (value & ~fpu.Control & (int)ExtendedExceptions.Maskable) != 0;
        fpu.Status = (ushort)((value & ~X87.Pending) | (waits ? X87.Pending : 0));
    }

    private static void Initialize(ref FpuState fpu)
    {
        fpu.Control = InitialControl;
        fpu.Status = 0;
        fpu.Used = 0;
        fpu.LastOpcode = 0;
        fpu.LastInstruction = 0;
        fpu.LastData = 0;
    }

    private static byte* BeginSave(CpuState* cpu, DecodedInstruction* u, int size, out bool slow)
    {
        slow = false;
        return X87.IsPresent(cpu, u) ? Operands.Modify(cpu, u, Operands.Linear(cpu, u, size, write: true), size, out slow) : null;
    }

    private static byte* BeginLoad(CpuState* cpu, DecodedInstruction* u, int size) =>
        X87.IsReady(cpu, u) ? Operands.Read(cpu, u, Operands.Linear(cpu, u, size, write: false), size) : null;
}
