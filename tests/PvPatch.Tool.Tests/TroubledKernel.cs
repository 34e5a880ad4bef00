using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Tool.Tests;

/// <summary>A guest that comes to grief at boot, in the way its seed says; <c>boot --guest</c> loads it from this assembly.</summary>
public sealed unsafe class TroubledKernel : IGuestKernel
{
    private const ushort Uart = 0x3f8;
    private const ushort PanicPort = 0x505;

    /// <inheritdoc/>
    public PvOpTable Ops => throw new InvalidOperationException("This guest never gets so far.");

    /// <inheritdoc/>
    public IReadOnlyList<string> Workloads { get; } = ["irq"];

    /// <inheritdoc/>
    public void Boot(BootParameters boot)
    {
        ArgumentNullException.ThrowIfNull(boot);
        CpuState* cpu = boot.Cpu;
        switch (boot.CommandLine.Split("seed=")[1])
        {
            case "1":
                for (int line = 0; line < 30; line++)
                    Print(cpu, $"[    0.00000{line % 10}] a long line of the boot log that comes before the panic, number {line}");
                Print(cpu, "[    0.000031] Kernel panic - not syncing: Out of biscuits");
                Print(cpu, "[    0.000032] ---[ end of the log ]---");
                cpu->Sensitive->Out(cpu, PanicPort, 1, 1);
                break;
            case "2":
                Print(cpu, "Nothing that says panic in Linux's words");
                cpu->Sensitive->Out(cpu, PanicPort, 1, 1);
                break;
            case "3":
                throw new InvalidOperationException("the guest\nthrows");
            case "4":
                cpu->Sensitive->RaiseException(cpu, 6, 0);
                break;
            default:
                cpu->Sensitive->Hlt(cpu);
                break;
        }
    }

    /// <inheritdoc/>
    public void Resume(BootParameters boot, PvOpTable installed) => throw new InvalidOperationException("This guest never gets so far.");

    /// <inheritdoc/>
    public ulong Run(string workload, ulong seed, int rounds) => throw new InvalidOperationException("This guest never gets so far.");

    /// <inheritdoc/>
    public void Shutdown() => throw new InvalidOperationException("This guest never gets so far.");

    private static void Print(CpuState* cpu, string line)
    {
        foreach (char letter in line + '\n')
            cpu->Sensitive->Out(cpu, Uart, 1, letter);
    }
}
