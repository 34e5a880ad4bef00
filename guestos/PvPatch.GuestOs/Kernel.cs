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

    private CpuState* cpu;

    /// <inheritdoc/>
    public PvOpTable Ops { get; } = new(typeof(Pv));

    /// <inheritdoc/>
    public IReadOnlyList<string> Workloads { get; } = ["irq", "mmu", "switch", "lock", "mixed"];

    /// <inheritdoc/>
    public void Boot(BootParameters boot)
    {
        ArgumentNullException.ThrowIfNull(boot);
        cpu = boot.Cpu;

        CpuSetup.InitPerCpu(cpu, cpuCount: 1);          // GS points at this CPU's page: ops find their data there
        KernelLog.Init(cpu);                            // the console first: what follows can be read
        Ops.Install(NativeOps.Targets);                 // the bare hardware's op into every slot
        KernelLog.Print(cpu, $"PvPatch guest kernel, x86-64, {cpu->RamSize >> 20} MiB");
        KernelLog.Print(cpu, $"Command line: {boot.CommandLine}");
        HypervisorPlatform.Init(cpu, Ops);              // what do we run on? Its ops over the native ones
        PvInit.ArchSetup(cpu);                          // what the platform needs before memory is there
        KernelClock.CalibrateTsc(cpu);                  // from here on sched_clock tells the time
        KernelLog.StartClock(cpu);
        PageAllocator.Init(cpu);                        // all memory behind the kernel's own
        PvInit.PostAllocatorInit(cpu);
        KernelLog.Print(cpu, $"Memory: {PageAllocator.FreePages(cpu) * 4}K/{cpu->RamSize >> 10}K available");
        AddressSpace.InitKernel(cpu);                   // direct map and fixmap; paging on
        ShareHypervisorPage();
        CpuSetup.Init(cpu);                             // GDT, TSS, LDT
        InterruptTable.Init(cpu);                       // an empty IDT, then the exceptions
        Exceptions.Init(cpu);
        PvIrq.InitIrq(cpu);                             // 8259s masked, local APIC on
        PvInit.GuestLateInit(cpu);                      // the hypervisor's shared pages
        PvInit.Banner(cpu);                             // "Booting paravirtualized kernel on ..."
        Scheduler.Init(cpu);                            // no task yet
        KernelClock.Init(cpu);                          // the tick is armed
        PvIrq.Enable(cpu);                              // and interrupts come
        StartSecondCpu();
        CheckWallClock();
    }

    /// <inheritdoc/>
    public void Resume(BootParameters boot, PvOpTable installed)
    {
        ArgumentNullException.ThrowIfNull(boot);
        cpu = boot.Cpu;
        Ops.InstallFrom(installed);                     // slots are text's own data: the same targets in this image
        ulong flags = Locks.InterruptFlag.Save(cpu);
        Exceptions.Init(cpu);                           // gates point at this image's handlers
        KernelClock.SetHandler(cpu);
        Locks.InterruptFlag.Restore(cpu, flags);
        StartSecondCpu();                               // the other CPU starts anew, in this image
        KernelLog.Print(cpu, "alternatives: running on the patched text");
    }

    /// <inheritdoc/>
    public ulong Run(string workload, ulong seed, int rounds)
    {
        var scheduler = new Scheduler(cpu);
        var sum = new WorkloadSum(seed);
        var handle = new CpuHandle(cpu);
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
        KernelClock.Stop(cpu);
        PvIrq.Disable(cpu);
        PvCpu.Wbinvd(cpu);
        KernelLog.Print(cpu, $"Ran {KernelClock.Jiffies(cpu)} ticks, {Scheduler.Switches(cpu)} context switches, {PvTime.StealClock(cpu, 0) / 1000} us stolen");
        KernelLog.Print(cpu, "reboot: Power down");
        Instructions.Out16(cpu, Pm1aControl, PowerOff);
        PvIrq.Halt(cpu);
    }

    /// <summary>Tells the hypervisor that the per-CPU page is shared with it, and maps it where programs could read the clock (Linux: PVCLOCK_FIXMAP).</summary>
    private void ShareHypervisorPage()
    {
        ulong page = PerCpu.AddressOf(cpu->Index);
        PvMmu.NotifyPageEncStatusChanged(cpu, page >> MemoryLayout.PageShift, 1, isPrivate: 0);
        PvMmu.SetFixmap(cpu, 0, page, PageFlags.KernelData & ~PageFlags.Writable);
    }

    private void StartSecondCpu()
    {
        if (PerCpu.Of(cpu)->CpuCount == 1)
            return;
        KernelLog.Print(cpu, "smp: Bringing up secondary CPUs ...");
        if (SecondCpu.Start(cpu))
            return;
        KernelLog.Print(cpu, "smpboot: CPU1 failed to come up");
        PerCpu.Of(cpu)->CpuCount = 1;
    }

    private void CheckWallClock() =>
        KernelLog.Print(cpu, $"rtc: system time {DateTimeOffset.FromUnixTimeSeconds((long)KernelClock.BootSeconds(cpu)):yyyy-MM-ddTHH:mm:ss} UTC");
}
