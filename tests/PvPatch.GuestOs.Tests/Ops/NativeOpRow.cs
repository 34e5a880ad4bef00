using PvPatch.Emulator.State;
using PvPatch.GuestOs.Tests.Kit;

namespace PvPatch.GuestOs.Tests.Ops;

/// <summary>Calls an op and writes down what it answered and what it changed.</summary>
internal unsafe delegate void OpCall(CpuState* cpu, List<ulong> seen);

/// <summary>One row: an op and what must be seen after it.</summary>
internal sealed unsafe class NativeOpRow
{
    private readonly Action<GuestMachine, nint, List<ulong>> _run;

    private NativeOpRow(string op, string does, Action<GuestMachine, nint, List<ulong>> run, ulong[] expected)
    {
        Op = op;
        Does = does;
        _run = run;
        Expected = expected;
    }

    public string Op { get; }

    public string Does { get; }

    public ulong[] Expected { get; }

    public override string ToString() => $"{Op} {Does}";

    internal static NativeOpRow Of(string op, string does, OpCall call, params ulong[] expected) =>
        new(op, does, (_, cpu, seen) => call((CpuState*)cpu, seen), expected);

    internal static NativeOpRow OnMachine(string op, string does, Action<GuestMachine, nint, List<ulong>> run, params ulong[] expected) =>
        new(op, does, run, expected);

    internal void Run(GuestMachine guest, CpuState* cpu, List<ulong> seen) => _run(guest, (nint)cpu, seen);
}
