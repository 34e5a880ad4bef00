using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Engine.IndirectCalls;
using PvPatch.GuestOs.Cpus;
using PvPatch.GuestOs.Interrupts;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tasks;
using PvPatch.GuestOs.Time;
using PvPatch.GuestOs.Workloads;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Tables;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs;

/// <summary>
/// The guest kernel. <see cref="Boot"/> is the whole story, a line a step. All it remembers is in guest memory, so that
/// its text can be replaced by the patched one: <see cref="Resume"/>.
/// </summary>
public sealed unsafe class Kernel : IGuestKernel
{
    private const ushort Pm1aControl = 0x604;           // ACPI, as QEMU places it
    private const ushort PowerOff = 0x2000;

    private CpuState* _cpu;

    /// <inheritdoc/>
    public PvOpTable Ops { get; } = new(typeof(Pv));

    /// <inheritdoc/>
    public IReadOnlyList<string> Workloads { get; } = ["irq", "mmu", "switch", "lock", "mixed"];

    /// <inheritdoc/>
    public void Boot(BootParameters boot)
    {
        ArgumentNullException.ThrowIfNull(boot);
        _cpu = boot.Cpu;

        CpuSetup.InitPerCpu(_cpu, cpuCount: 1);         // GS points at this CPU's page: ops find their data there
        KernelLog.Init(_cpu);                           // the console first: what follows can be read
        Ops.Install(NativeOps.Targets);                 // the bare hardware's op into every slot
        KernelLog.Print(_cpu, $"PvPatch guest kernel, x86-64, {_cpu->RamSize >> 20} MiB");
        KernelLog.Print(_cpu, $"Command line: {boot.CommandLine}");
        HypervisorPlatform.Init(_cpu, Ops);             // what do we run on? Its ops over the native ones
        PvInit.ArchSetup(_cpu);                         // what the platform needs before memory is there
        KernelClock.CalibrateTsc(_cpu);                 // from here on sched_clock tells the time
        KernelLog.StartClock(_cpu);
        PageAllocator.Init(_cpu);                       // all memory behind the kernel's own
        PvInit.PostAllocatorInit(_cpu);
        KernelLog.Print(_cpu, $"Memory: {PageAllocator.FreePages(_cpu) * 4}K/{_cpu->RamSize >> 10}K available");
        AddressSpace.InitKernel(_cpu);                  // direct map and fixmap; paging on
        ShareHypervisorPage();
        CpuSetup.Init(_cpu);                            // GDT, TSS, LDT
        InterruptTable.Init(_cpu);                      // an empty IDT, then the exceptions
        Exceptions.Init(_cpu);
        PvIrq.InitIrq(_cpu);                            // 8259s masked, local APIC on
        PvInit.Banner(_cpu);                            // "Booting paravirtualized kernel on ..."
        PvInit.GuestLateInit(_cpu);                     // the hypervisor's shared pages
        Scheduler.Init(_cpu);                           // no task yet
        KernelClock.Init(_cpu);                         // the tick is armed
        PvIrq.Enable(_cpu);                             // and interrupts come
        StartSecondCpu();
        CheckWallClock();
    }

    /// <inheritdoc/>
    public void Resume(BootParameters boot, PvOpTable installed)
    {
        ArgumentNullException.ThrowIfNull(boot);
        _cpu = boot.Cpu;
        Ops.InstallFrom(installed);                     // slots are text's own data: the same targets in this image
        ulong flags = Locks.InterruptFlag.Save(_cpu);
        Exceptions.Init(_cpu);                          // gates point at this image's handlers
        KernelClock.SetHandler(_cpu);
        Locks.InterruptFlag.Restore(_cpu, flags);
        StartSecondCpu();                               // the other CPU starts anew, in this image
        KernelLog.Print(_cpu, "alternatives: running on the patched text");
    }

    /// <inheritdoc/>
    public ulong Run(string workload, ulong seed, int rounds)
    {
        var scheduler = new Scheduler(_cpu);
        var sum = new WorkloadSum(seed);
        var handle = new CpuHandle(_cpu);
        var random = new Randomness(seed);
        scheduler.Create(workload switch
        {
            "irq" => IrqWorkload.Run(handle, sum, rounds),
            "mmu" => MmuWorkload.Run(handle, sum, random, rounds),
            "switch" => SwitchWorkload.Run(handle, scheduler, sum, random, rounds),
            "lock" => LockWorkload.Run(handle, sum, random, rounds),
            "mixed" => MixedWorkload.Run(handle, scheduler, sum, random, rounds),
            _ => throw new ArgumentException($"There is no workload {workload}; there are {string.Join(", ", Workloads)}.", nameof(workload)),
        });
        scheduler.Run();
        return sum.Value;
    }

    /// <inheritdoc/>
    public void Shutdown()
    {
        KernelClock.Stop(_cpu);
        PvIrq.Disable(_cpu);
        PvCpu.Wbinvd(_cpu);
        KernelLog.Print(_cpu, $"Ran {KernelClock.Jiffies(_cpu)} ticks, {Scheduler.Switches(_cpu)} context switches, {PvTime.StealClock(_cpu, 0) / 1000} us stolen");
        KernelLog.Print(_cpu, "reboot: Power down");
        Instructions.Out16(_cpu, Pm1aControl, PowerOff);
        PvIrq.Halt(_cpu);
    }

    /// <summary>Tells the hypervisor that the per-CPU page is shared with it, and maps it where programs could read the clock (Linux: PVCLOCK_FIXMAP).</summary>
    private void ShareHypervisorPage()
    {
        ulong page = PerCpu.AddressOf(_cpu->Index);
        PvMmu.NotifyPageEncStatusChanged(_cpu, page >> MemoryLayout.PageShift, 1, isPrivate: 0);
        PvMmu.SetFixmap(_cpu, 0, page, PageFlags.KernelData & ~PageFlags.Writable);
    }

    private void StartSecondCpu()
    {
        if (PerCpu.Of(_cpu)->CpuCount == 1)
            return;
        KernelLog.Print(_cpu, "smp: Bringing up secondary CPUs ...");
        if (SecondCpu.Start(_cpu))
            return;
        KernelLog.Print(_cpu, "smpboot: CPU1 failed to come up");
        PerCpu.Of(_cpu)->CpuCount = 1;
    }

    private void CheckWallClock() =>
        KernelLog.Print(_cpu, $"rtc: system time {DateTimeOffset.FromUnixTimeSeconds((long)KernelClock.BootSeconds(_cpu)):yyyy-MM-ddTHH:mm:ss} UTC");
}
