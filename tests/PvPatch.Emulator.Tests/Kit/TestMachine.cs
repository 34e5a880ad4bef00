using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>Guest code as a test writes it.</summary>
internal unsafe delegate void GuestCode(CpuState* cpu);

/// <summary>A machine with a virtual clock whose guest has the tables of <see cref="TestGuest"/>.</summary>
internal sealed unsafe class TestMachine : IDisposable
{
    private readonly List<string> _console = [];

    public TestMachine(int cpus = 1, IPlatform? platform = null, MachineClock? clock = null, TimeProvider? wallClock = null)
    {
        Machine = new Machine(new MachineOptions
        {
            Platform = platform ?? new PlainPlatform(),
            Cpus = cpus,
            RamSize = 2 << 20,
            Clock = clock ?? new VirtualClock(cyclesPerRead: 10),
            WallClock = wallClock ?? TimeProvider.System,
            Console = _console.Add,
        });
    }

    public Machine Machine { get; }

    public IReadOnlyList<string> Console => _console;

    public ulong[] Notes => TestGuest.Notes(Machine);

    /// <summary>Runs guest code after its tables are set up.</summary>
    public MachineExit Run(GuestCode guest) => Machine.Run(() =>
    {
        TestGuest.Prepare(Machine.Cpu(0));
        guest(Machine.Cpu(0));
    });

    public void Dispose() => Machine.Dispose();
}
