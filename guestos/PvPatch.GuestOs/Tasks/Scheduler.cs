using System.Runtime.InteropServices;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Time;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tasks;

/// <summary>
/// Round robin over kernel tasks. What a task is stands in guest memory; its code is an iterator that gives the CPU up at
/// each <c>yield return</c>. A switch goes through the CPU ops as in Linux's <c>__switch_to</c>.
/// </summary>
/// <param name="cpu">The CPU whose scheduler this is.</param>
public sealed unsafe class Scheduler(CpuState* cpu)
{
    private const int None = -1;
    private const int StackOrder = 2;                       // 16 KiB
    private static readonly int Slots = (int)MemoryLayout.TasksSize / sizeof(KernelTask);

    private readonly IEnumerator<TaskStep>?[] _code = new IEnumerator<TaskStep>?[Slots];
    private ulong _sleepersSeen;                            // the tick at which they were looked at

    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public QSpinLock Lock;
        public int NextPid;
        public int ReadyHead;
        public int ReadyTail;
        public int Current;
        public int Alive;
        public ulong Switches;
    }

    /// <summary>Forgets all tasks. Called once a boot; an image that goes on with another's memory finds it done.</summary>
    public static void Init(CpuState* cpu)
    {
        *StateOf(cpu) = new State { NextPid = 1, ReadyHead = None, ReadyTail = None, Current = None };
        for (int slot = 0; slot < Slots; slot++)
            Task(cpu, slot)[0] = default;
    }

    /// <summary>Context switches since boot.</summary>
    public static ulong Switches(CpuState* cpu) => StateOf(cpu)->Switches;

    /// <summary>Makes a task ready to run.</summary>
    /// <param name="body">Its code; each step gives the CPU up, the end is its exit.</param>
    /// <param name="space">Its address space; 0 for the kernel's.</param>
    /// <returns>Its pid, or -1 when there is no slot or no memory for a stack.</returns>
    public int Create(IEnumerable<TaskStep> body, ulong space = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        int slot = 0;
        while (slot < Slots && Task(cpu, slot)->State != TaskState.Free)
            slot++;
        ulong stack = slot < Slots ? PageAllocator.Allocate(cpu, StackOrder) : 0;
        if (stack == 0)
            return -1;
        State* state = StateOf(cpu);
        int pid = state->NextPid++;
        KernelTask* task = Task(cpu, slot);
        *task = new KernelTask { Pid = pid, Next = None, Stack = stack, Space = space == 0 ? AddressSpace.Kernel(cpu) : space };
        task->Tls[0] = (ulong)pid << 16;                    // any base: what matters is that a switch writes it
        _code[slot] = body.GetEnumerator();
        state->Alive++;
        MakeReady(slot);
        return pid;
    }

    /// <summary>Runs until every task has exited. With nothing ready the CPU halts until an interrupt.</summary>
    public void Run()
    {
        State* state = StateOf(cpu);
        while (state->Alive > 0)
        {
            if (KernelClock.Jiffies(cpu) is ulong tick && tick != _sleepersSeen)
            {
                _sleepersSeen = tick;
                WakeSleepers();                             // tasks that never sleep must not keep them from the CPU
            }

            int slot = TakeReady();
            if (slot == None)
            {
                if (!WakeSleepers())
                    Idle();
                continue;
            }

            SwitchTo(slot);
            Task(cpu, slot)->State = TaskState.Running;
            IEnumerator<TaskStep> body = _code[slot]!;
            if (body.MoveNext())
                Obey(slot, body.Current);
            else
                Exit(slot);
        }

        AddressSpace.Switch(cpu, AddressSpace.Kernel(cpu));
        state->Current = None;
    }

    /// <summary>The part of a switch that Linux does in switch_mm and __switch_to. Without interrupts: one must not see half of it.</summary>
    private void SwitchTo(int slot)
    {
        State* state = StateOf(cpu);
        KernelTask* next = Task(cpu, slot);
        next->Switches++;
        state->Switches++;
        if (state->Current == slot)
            return;
        ulong flags = InterruptFlag.Save(cpu);
        PvCpu.StartContextSwitch(cpu);
        AddressSpace.Switch(cpu, next->Space);
        PvCpu.LoadSp0(cpu, MemoryLayout.Linear(next->Stack) + MemoryLayout.StackSize);
        PvCpu.LoadTls(cpu, next->Tls);
        PvCpu.EndContextSwitch(cpu);
        state->Current = slot;
        InterruptFlag.Restore(cpu, flags);
    }

    private void Obey(int slot, TaskStep step)
    {
        KernelTask* task = Task(cpu, slot);
        switch (step.Kind)
        {
            case TaskStep.StepKind.Yield:
                MakeReady(slot);
                break;
            case TaskStep.StepKind.Sleep:
                task->WakeTime = PvTime.SchedClock(cpu) + step.Argument;
                task->State = TaskState.Sleeping;
                break;
            case TaskStep.StepKind.Wait when IsAlive((int)step.Argument):
                task->WaitsFor = (int)step.Argument;
                task->State = TaskState.Waiting;
                break;
            default:
                MakeReady(slot);                            // who is waited for is gone already
                break;
        }
    }

    private void Exit(int slot)
    {
        State* state = StateOf(cpu);
        KernelTask* task = Task(cpu, slot);
        int pid = task->Pid;
        _code[slot]!.Dispose();
        _code[slot] = null;
        AddressSpace.Switch(cpu, AddressSpace.Kernel(cpu)); // its own may be destroyed now
        state->Current = None;
        PageAllocator.Free(cpu, task->Stack, StackOrder);
        *task = default;
        state->Alive--;
        for (int other = 0; other < Slots; other++)
        {
            if (Task(cpu, other)->State == TaskState.Waiting && Task(cpu, other)->WaitsFor == pid)
                MakeReady(other);
        }
    }

    private bool IsAlive(int pid)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            if (Task(cpu, slot)->State != TaskState.Free && Task(cpu, slot)->Pid == pid)
                return true;
        }

        return false;
    }

    private bool WakeSleepers()
    {
        bool any = false;
        ulong now = PvTime.SchedClock(cpu);
        for (int slot = 0; slot < Slots; slot++)
        {
            if (Task(cpu, slot)->State == TaskState.Sleeping && Task(cpu, slot)->WakeTime <= now)
            {
                MakeReady(slot);
                any = true;
            }
        }

        return any;
    }

    /// <summary>Waits for an interrupt. One that came after the look at the sleepers still wakes: safe_halt has no gap.</summary>
    private void Idle()
    {
        PvIrq.Disable(cpu);
        bool sleeper = false;
        for (int slot = 0; slot < Slots; slot++)
            sleeper |= Task(cpu, slot)->State == TaskState.Sleeping;
        if (!sleeper)
            Panic.Stop(cpu, "All tasks wait for each other");
        PvIrq.SafeHalt(cpu);
    }

    private void MakeReady(int slot)
    {
        State* state = StateOf(cpu);
        ulong flags = KernelLock.AcquireSave(cpu, &state->Lock);
        Task(cpu, slot)->State = TaskState.Ready;
        Task(cpu, slot)->Next = None;
        if (state->ReadyTail == None)
            state->ReadyHead = slot;
        else
            Task(cpu, state->ReadyTail)->Next = slot;
        state->ReadyTail = slot;
        KernelLock.ReleaseRestore(cpu, &state->Lock, flags);
    }

    private int TakeReady()
    {
        State* state = StateOf(cpu);
        ulong flags = KernelLock.AcquireSave(cpu, &state->Lock);
        int slot = state->ReadyHead;
        if (slot != None)
        {
            state->ReadyHead = Task(cpu, slot)->Next;
            if (state->ReadyHead == None)
                state->ReadyTail = None;
        }

        KernelLock.ReleaseRestore(cpu, &state->Lock, flags);
        return slot;
    }

    private static KernelTask* Task(CpuState* cpu, int slot) => MemoryLayout.At<KernelTask>(cpu, MemoryLayout.Tasks) + slot;

    private static State* StateOf(CpuState* cpu) => MemoryLayout.At<State>(cpu, MemoryLayout.SchedulerState);
}
