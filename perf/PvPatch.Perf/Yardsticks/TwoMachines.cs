using System.Diagnostics;
using System.Globalization;
using Iced.Intel;
using PvPatch.Emulator;
using PvPatch.Emulator.Exits;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What two machines on two threads do, measured by what one does.</summary>
/// <param name="Code">What they execute.</param>
/// <param name="WallRatio">Instructions a second of both together, to those of one; 2 if they share nothing and two cores are free.</param>
/// <param name="CpuRatio">CPU time an instruction of both, to that of one; 1 if neither disturbs the other.</param>
internal sealed record TwoMachines(string Code, double WallRatio, double CpuRatio)
{
    private const ulong Instructions = 100_000_000;

    /// <summary>Measures and prints.</summary>
    public static IReadOnlyList<TwoMachines> Measure(int runs)
    {
        TwoMachines[] rows =
        [
            Measure(runs, "registers and memory", a =>
            {
                a.mov(rax, __qword_ptr[rsi + 8]);
                a.add(rax, rbx);
                a.xor(rbx, rax);
                a.mov(__qword_ptr[rsi + 16], rbx);
                a.add(__qword_ptr[rsi], rax);
                a.rol(rbx, 5);
            }),
            Measure(runs, "locked instructions", a =>
            {
                a.@lock.add(__qword_ptr[rsi], rbx);
                a.xchg(__qword_ptr[rsi + 8], rax);
                a.@lock.cmpxchg16b(__[rsi + 16]);
            }),
        ];
        Console.WriteLine("Two machines on two threads, to one alone: throughput   CPU time an instruction");
        foreach (TwoMachines row in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Code,-44}  {row.WallRatio,8:F2}  {row.CpuRatio,10:F2}"));
        return rows;
    }

    private static TwoMachines Measure(int runs, string name, Action<Assembler> body)
    {
        using Machine first = LoopMachine.Build(body);
        using Machine second = LoopMachine.Build(body);
        _ = Alone(first) + Alone(second);
        var wall = new List<double>();
        var cpu = new List<double>();
        for (int i = 0; i < runs; i++)
        {
            (double Wall, double Cpu) one = Time(() => Execute(first)), both = Time(() => Together(first, second));
            wall.Add(2 * one.Wall / both.Wall);
            cpu.Add(both.Cpu / one.Cpu / 2);
        }

        return new TwoMachines(name, Medians.Of(wall), Medians.Of(cpu));
    }

    private static double Alone(Machine machine) => Time(() => Execute(machine)).Wall;

    private static (double Wall, double Cpu) Time(Action action)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        action();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    private static void Together(Machine first, Machine second)
    {
        var other = new Thread(() => Execute(second));
        other.Start();
        Execute(first);
        other.Join();
    }

    private static void Execute(Machine machine)
    {
        if (machine.Run(Instructions) is not MachineExit.InstructionLimit) throw new InvalidOperationException("The loop ended.");
    }
}
