using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Hardware;

/// <summary>Instructions as C# executes them: those that are no pv_ops, in Linux neither (port access, RDTSC, PAUSE, reading CR4), and MOV to a control register, which may fault.</summary>
public static unsafe class Instructions
{
    /// <summary>IN AL, DX.</summary>
    public static byte In8(CpuState* cpu, ushort port) => (byte)cpu->Sensitive->In(cpu, port, 1);

    /// <summary>OUT DX, AL.</summary>
    public static void Out8(CpuState* cpu, ushort port, byte value) => cpu->Sensitive->Out(cpu, port, 1, value);

    /// <summary>OUT DX, AX.</summary>
    public static void Out16(CpuState* cpu, ushort port, ushort value) => cpu->Sensitive->Out(cpu, port, 2, value);

    /// <summary>RDTSC, in TSC cycles.</summary>
    public static ulong ReadTsc(CpuState* cpu) => cpu->Sensitive->Rdtsc(cpu);

    /// <summary>PAUSE.</summary>
    public static void Pause(CpuState* cpu) => cpu->Sensitive->Pause(cpu);

    /// <summary>MOV to a control register; a value that the register does not take raises the exception in the guest.</summary>
    public static void MovToCr(CpuState* cpu, uint number, ulong value)
    {
        uint vector = cpu->Sensitive->MovToCr(cpu, number, value);
        if (vector != 0)
            cpu->Sensitive->RaiseException(cpu, vector, 0);
    }

    /// <summary>MOV from CR4 (a pv_op until Linux 4.14).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr4(CpuState* cpu) => cpu->Cr4;
}
