using PvPatch.Emulator;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Hosts;

[assembly: NonParallelizable]       // the op slots of a loaded kernel are static: one machine at a time uses them

namespace PvPatch.GuestOs.Tests.Kit;

/// <summary>Kernel code as a test writes it.</summary>
internal unsafe delegate void GuestCode(CpuState* cpu);

/// <summary>A machine with a virtual clock and the guest kernel in it.</summary>
internal sealed unsafe class GuestMachine : IDisposable
{
    public static readonly DateTimeOffset Today = new(2026, 2, 3, 4, 5, 6, 500, TimeSpan.Zero);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly List<string> _console = [];
    private bool _isStuck;

    public GuestMachine(IPlatform platform, int cpus = 1, ulong ramSize = 32ul << 20, ulong frequency = 1_000_000_000)
    {
        Platform = new CountingPlatform(platform);
        Clock = new VirtualClock(frequency);
        Machine = new Machine(new MachineOptions
        {
            Platform = Platform,
            Cpus = cpus,
            RamSize = ramSize,
            Clock = Clock,
            WallClock = new StoppedTime(Today),
            Console = _console.Add,
        });
    }

    public CountingPlatform Platform { get; }

    public VirtualClock Clock { get; }

    public Machine Machine { get; }

    public Kernel Kernel { get; } = new();

    public BootParameters Parameters => new(Machine.Cpu(0), "test");

    /// <summary>All lines of the console.</summary>
    public IReadOnlyList<string> Console => _console;

    /// <summary>The lines without their time stamps.</summary>
    public IReadOnlyList<string> Messages => [.. _console.Select(line => line[(line.IndexOf(']', StringComparison.Ordinal) + 2)..])];

    /// <summary>A machine on a host by its name, not booted.</summary>
    public static GuestMachine On(string host, int cpus = 1) => new(KnownHosts.Find(host)!.Create(), cpus);

    /// <summary>A machine on a host by its name, booted.</summary>
    public static GuestMachine Booted(string host, int cpus = 1) => On(host, cpus).Boot();

    public GuestMachine Boot()
    {
        AssertReturned(Watch(() => Kernel.Boot(Parameters)));
        return this;
    }

    /// <summary>Runs kernel code on the boot CPU. It must return: an assertion belongs outside of it.</summary>
    public void Do(GuestCode code) => AssertReturned(Run(code));

    /// <summary>Runs kernel code on the boot CPU.</summary>
    public MachineExit Run(GuestCode code) => Watch(() => code(Machine.Cpu(0)));

    /// <summary>Runs kernel code that must panic, and tells the panic's message.</summary>
    public string Panic(GuestCode code)
    {
        MachineExit exit = Run(code);
        Assert.That(exit, Is.TypeOf<MachineExit.Panicked>());
        return ((MachineExit.Panicked)exit).Message;
    }

    public void Dispose()
    {
        if (!_isStuck)
            Machine.Dispose();
    }

    /// <summary>A guest that spins for ever must fail its test, not stop all others.</summary>
    private MachineExit Watch(Action guest)
    {
        Task<MachineExit> run = Task.Run(() => Machine.Run(guest));
        _isStuck = !run.Wait(Patience);
        Assert.That(_isStuck, Is.False, "The guest does not come back.");
        return run.Result;
    }

    private static void AssertReturned(MachineExit exit) => Assert.That(exit, Is.TypeOf<MachineExit.Returned>(), exit.ToString());

    private sealed class StoppedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
