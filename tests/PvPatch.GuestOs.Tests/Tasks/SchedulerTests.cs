using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tasks;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Tasks;

[TestFixture]
public sealed unsafe class SchedulerTests
{
    private const ulong Millisecond = 1_000_000;

    private readonly List<string> _story = [];
    private GuestMachine _guest = null!;
    private Scheduler _scheduler = null!;

    [SetUp]
    public void Boot()
    {
        _story.Clear();
        _guest = GuestMachine.Booted("bare");
        _scheduler = new Scheduler(_guest.Machine.Cpu(0));
    }

    [TearDown]
    public void Dispose() => _guest.Dispose();

    [Test]
    public void Tasks_run_in_turn_until_each_has_exited()
    {
        _guest.Do(_ =>
        {
            _scheduler.Create(Body("a", TaskStep.Yield, TaskStep.Yield));
            _scheduler.Create(Body("b", TaskStep.Yield));
            _scheduler.Create(Body("c"));
            _scheduler.Run();
        });
        Assert.That(string.Join(' ', _story), Is.EqualTo("a0 b0 c. a1 b. a."));
    }

    [Test]
    public void Pids_count_up_and_slots_are_used_again()
    {
        var pids = new List<int>();
        _guest.Do(_ =>
        {
            for (int i = 0; i < 3; i++)
            {
                pids.Add(_scheduler.Create(Body("a")));
                pids.Add(_scheduler.Create(Body("b")));
                _scheduler.Run();
            }
        });
        Assert.That(pids, Is.EqualTo([1, 2, 3, 4, 5, 6]));
    }

    [TestCase(1ul)]
    [TestCase(7_000_000ul)]
    [TestCase(35_000_000ul)]
    public void A_sleeper_wakes_no_earlier_than_it_asked_and_with_the_next_tick(ulong nanoseconds)
    {
        ulong start = 0, end = 0;
        _guest.Do(cpu =>
        {
            start = PvTime.SchedClock(cpu);
            _scheduler.Create(Body("a", TaskStep.Sleep(nanoseconds)));
            _scheduler.Run();
            end = PvTime.SchedClock(cpu);
        });
        Assert.That(end - start, Is.InRange(nanoseconds, nanoseconds + (12 * Millisecond)));
    }

    [Test]
    public void A_sleeper_wakes_while_another_task_never_gives_the_CPU_a_rest()
    {
        bool woken = false;
        ulong turns = 0;
        _guest.Do(_ =>
        {
            _scheduler.Create(Sleeper(() => woken = true));
            _scheduler.Create(Busy(() => woken, () => turns++));
            _scheduler.Run();
        });
        Assert.That((woken, turns < 1_000), Is.EqualTo((true, true)), $"{turns} turns of the busy task");
    }

    [Test]
    public void Who_waits_goes_on_after_the_exit_it_waits_for()
    {
        _guest.Do(_ =>
        {
            int worker = _scheduler.Create(Body("w", TaskStep.Yield, TaskStep.Yield));
            _scheduler.Create(Body("a", TaskStep.Wait(worker)));
            _scheduler.Create(Body("b", TaskStep.Wait(worker)));
            _scheduler.Run();
        });
        Assert.That(string.Join(' ', _story), Is.EqualTo("w0 a0 b0 w1 w. a. b."));
    }

    [TestCase(99)]
    [TestCase(0)]
    [TestCase(-1)]
    public void Waiting_for_a_task_that_is_not_there_does_not_block(int pid)
    {
        _guest.Do(_ =>
        {
            _scheduler.Create(Body("a", TaskStep.Wait(pid)));
            _scheduler.Run();
        });
        Assert.That(string.Join(' ', _story), Is.EqualTo("a0 a."));
    }

    [Test]
    public void Waiting_for_an_exited_task_does_not_block()
    {
        _guest.Do(_ =>
        {
            int gone = _scheduler.Create(Body("g"));
            _scheduler.Create(Body("a", TaskStep.Yield, TaskStep.Wait(gone)));
            _scheduler.Run();
        });
        Assert.That(string.Join(' ', _story), Is.EqualTo("g. a0 a1 a."));
    }

    [TestCase(new[] { 2, 1 })]
    [TestCase(new[] { 1 })]
    [TestCase(new[] { 2, 3, 1 })]
    public void Tasks_that_wait_for_each_other_panic(int[] waitsFor)
    {
        string message = _guest.Panic(_ =>
        {
            foreach (int pid in waitsFor)
                _scheduler.Create(Body("a", TaskStep.Wait(pid)));
            _scheduler.Run();
        });
        Assert.That(message, Does.EndWith("Kernel panic - not syncing: All tasks wait for each other"));
    }

    [Test]
    public void An_exit_gives_the_stack_back()
    {
        (uint Before, uint Alive, uint After) free = default;
        _guest.Do(cpu =>
        {
            free.Before = PageAllocator.FreePages(cpu);
            _scheduler.Create(Body("a"));
            _scheduler.Create(Body("b", TaskStep.Yield));
            free.Alive = PageAllocator.FreePages(cpu);
            _scheduler.Run();
            free.After = PageAllocator.FreePages(cpu);
        });
        Assert.That((free.Before - free.Alive, free.After), Is.EqualTo((2 * (uint)(MemoryLayout.StackSize / MemoryLayout.PageSize), free.Before)));
    }

    [Test]
    public void One_task_more_than_there_are_slots_is_refused()
    {
        int slots = (int)MemoryLayout.TasksSize / sizeof(KernelTask);
        int created = 0, refused = 0, again = 0;
        _guest.Do(_ =>
        {
            while (created <= slots && _scheduler.Create(Body("a")) != -1)
                created++;
            refused = _scheduler.Create(Body("a"));
            _scheduler.Run();
            again = _scheduler.Create(Body("a"));
        });
        Assert.That((created, refused, again), Is.EqualTo((slots, -1, slots + 1)));
    }

    [Test]
    public void Without_memory_for_a_stack_a_task_is_refused()
    {
        int pid = 0;
        _guest.Do(cpu =>
        {
            while (PageAllocator.Allocate(cpu) != 0)
            {
            }

            pid = _scheduler.Create(Body("a"));
        });
        Assert.That(pid, Is.EqualTo(-1));
    }

    [Test]
    public void A_task_runs_in_its_space_with_its_stack_and_its_TLS()
    {
        var seen = new List<(bool Space, ulong Tls, bool Stack)>();
        bool backInKernel = false;
        _guest.Do(cpu =>
        {
            ulong own = AddressSpace.Create(cpu);
            var stacks = new HashSet<ulong>();
            _scheduler.Create(Watch(() => seen.Add((cpu->Cr3 == own, Tls(cpu), stacks.Add(Stack(cpu))))), own);
            _scheduler.Create(Watch(() => seen.Add((cpu->Cr3 == AddressSpace.Kernel(cpu), Tls(cpu), stacks.Add(Stack(cpu))))));
            _scheduler.Run();
            backInKernel = cpu->Cr3 == AddressSpace.Kernel(cpu);
        });
        Assert.That(seen, Is.EqualTo([(true, 1ul << 16, true), (true, 2ul << 16, true), (true, 1ul << 16, false), (true, 2ul << 16, false)]));
        Assert.That(backInKernel);
    }

    [Test]
    public void Interrupts_are_as_before_after_a_run()
    {
        var flags = new List<ulong>();
        _guest.Do(cpu =>
        {
            _scheduler.Create(Watch(() => flags.Add(cpu->RFlags & RFlags.InterruptEnable)));
            _scheduler.Run();
            flags.Add(cpu->RFlags & RFlags.InterruptEnable);
        });
        Assert.That(flags, Is.EqualTo([RFlags.InterruptEnable, RFlags.InterruptEnable, RFlags.InterruptEnable]));
    }

    private static ulong Tls(CpuState* cpu) => PerCpu.Of(cpu)->Gdt[Selectors.TlsIndex];

    private static ulong Stack(CpuState* cpu) => PerCpu.Of(cpu)->Tss.Rsp0;

    private static IEnumerable<TaskStep> Watch(Action look)
    {
        look();
        yield return TaskStep.Yield;
        look();
    }

    private static IEnumerable<TaskStep> Sleeper(Action wake)
    {
        yield return TaskStep.Sleep(15 * Millisecond);
        wake();
    }

    private IEnumerable<TaskStep> Busy(Func<bool> isDone, Action turn)
    {
        while (!isDone() && _guest.Clock.Now < 10_000_000_000)
        {
            turn();
            _guest.Clock.Advance(100_000);
            yield return TaskStep.Yield;
        }
    }

    private IEnumerable<TaskStep> Body(string name, params TaskStep[] steps)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            _story.Add(name + i);
            yield return steps[i];
        }

        _story.Add(name + ".");
    }
}
