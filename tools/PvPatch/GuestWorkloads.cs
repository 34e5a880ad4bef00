using BenchmarkDotNet.Attributes;
using PvPatch.Emulator;
using PvPatch.Emulator.Guests;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Hosts;
using PvPatch.Perf.Measuring;

namespace PvPatch.Tool;

/// <summary>
/// What patching means for a kernel's work: the guest's workloads on every hypervisor that it boots on, through the slots and patched,
/// on two machines side by side. Time is that of a run of so many rounds that starting it does not count.
/// </summary>
[Launches(2)]
public class GuestWorkloads : IEventCounts
{
    private const int Cpus = 2;
    private const ulong Seed = 1;

    private Guest _slots = null!, _patched = null!;

    /// <summary>The hypervisors.</summary>
    public static IEnumerable<string> Hypervisors => KnownHosts.All.Select(host => host.Key);

    /// <summary>What the guest runs on.</summary>
    [ParamsSource(nameof(Hypervisors))]
    public string Hypervisor { get; set; } = "";

    /// <summary>What it does.</summary>
    [Params("irq", "mmu", "switch", "lock", "mixed")]
    public string Workload { get; set; } = "";

    /// <summary>Boots both.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _slots = new Guest(Hypervisor, patches: false);
        _patched = new Guest(Hypervisor, patches: true);
        if (_slots.Run(Workload) != _patched.Run(Workload))
            throw new InvalidOperationException("The checksums differ.");
        TakeEvents();
    }

    /// <summary>Stops both.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        _slots.Dispose();
        _patched.Dispose();
    }

    /// <summary>Patched before the kernel's image was loaded.</summary>
    [Benchmark(Description = "patched, image", Baseline = true)]
    public ulong Patched() => _patched.Run(Workload);

    /// <summary>Through the slots.</summary>
    [Benchmark(Description = "slots, unpatched")]
    public ulong Slots() => _slots.Run(Workload);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> TakeEvents() => new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["exits"] = _slots.TakeExits() + _patched.TakeExits(),
        ["hypercalls"] = _slots.TakeHypercalls() + _patched.TakeHypercalls(),
    };

    /// <summary>About a millisecond's.</summary>
    private static int RoundsOf(string workload) => workload switch
    {
        "irq" => 10_000,
        "lock" => 10_000,
        "switch" => 1_000,
        _ => 16,
    };

    /// <summary>A machine with a kernel that has booted.</summary>
    private sealed unsafe class Guest : IDisposable
    {
        private readonly CountingPlatform _platform;
        private readonly Machine _machine;
        private readonly IGuestKernel _kernel;
        private long _exits, _hypercalls;

        public Guest(string hypervisor, bool patches)
        {
            _platform = new CountingPlatform(KnownHosts.Find(hypervisor)!.Create());
            _machine = new Machine(new MachineOptions { Platform = _platform, Cpus = Cpus });
            var image = new GuestImage(kernel: null);
            IGuestKernel booted = _kernel = image.LoadUnpatched();
            var boot = new BootParameters(_machine.Cpu(0), $"seed={Seed}");
            BootSession.Do(_machine, () => booted.Boot(boot));
            if (!patches)
                return;
            PvOpTable installed = booted.Ops;
            using GuestPatch patch = GuestPatch.Of(BootMode.Image, image, booted);
            _kernel = patch.Kernel;
            BootSession.Do(_machine, () => _kernel.Resume(boot, installed));
        }

        public ulong Run(string workload)
        {
            ulong checksum = 0;
            BootSession.Do(_machine, () => checksum = _kernel.Run(workload, Seed, RoundsOf(workload)));
            return checksum;
        }

        public long TakeExits()
        {
            long before = _exits;
            return (_exits = _platform.Exits) - before;
        }

        public long TakeHypercalls()
        {
            long before = _hypercalls;
            return (_hypercalls = _platform.Hypercalls) - before;
        }

        public void Dispose() => _machine.Dispose();
    }
}
