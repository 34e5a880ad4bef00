using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>One thread of a process.</summary>
/// <param name="id">Its number, as gettid(2) gives it.</param>
/// <param name="process">Its process.</param>
internal sealed unsafe class LinuxThread(int id, LinuxProcess process)
{
    private UserRegisters _registers;

    /// <summary>Its number.</summary>
    public int Id => id;

    /// <summary>Its process.</summary>
    public LinuxProcess Process => process;

    /// <summary>Its registers while another thread has the CPU.</summary>
    public ref UserRegisters Registers => ref _registers;

    /// <summary>What it waits for; null while it runs.</summary>
    public Wait? Wait { get; set; }

    /// <summary>The number of its last system call.</summary>
    public ulong LastCall { get; set; }

    /// <summary>Its signals.</summary>
    public ThreadSignals Signals { get; init; } = new();

    /// <summary>Where a zero is written, and a waiter woken, when it ends (set_tid_address(2)); 0: nowhere.</summary>
    public ulong ClearedAtEnd { get; set; }

    /// <summary>It has ended.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Lets the system call that it waits in begin again.</summary>
    public void StepBack()
    {
        const int SyscallSize = 2;
        if (process.System.Current == this)
            process.Cpu->Rip -= SyscallSize;
        else
            _registers.Rip -= SyscallSize;
    }

    /// <summary>A signal that may be handled now, the lowest first.</summary>
    public Signal DueSignal
    {
        get
        {
            ulong due = (Signals.Pending.Set | process.Pending.Set) & ~Signals.Blocked;
            return due == 0 ? Signal.None : (Signal)(System.Numerics.BitOperations.TrailingZeroCount(due) + 1);
        }
    }
}
