namespace PvPatch.GuestOs.Tasks;

/// <summary>What a task asks of the scheduler when it gives the CPU up.</summary>
public readonly record struct TaskStep
{
    private TaskStep(StepKind kind, ulong argument)
    {
        Kind = kind;
        Argument = argument;
    }

    internal enum StepKind
    {
        Yield,
        Sleep,
        Wait,
    }

    /// <summary>Lets others run.</summary>
    public static TaskStep Yield => new(StepKind.Yield, 0);

    internal StepKind Kind { get; }

    internal ulong Argument { get; }

    /// <summary>Sleeps for at least so many nanoseconds.</summary>
    public static TaskStep Sleep(ulong nanoseconds) => new(StepKind.Sleep, nanoseconds);

    /// <summary>Waits until a task has exited; one that is gone already does not block.</summary>
    public static TaskStep Wait(int pid) => new(StepKind.Wait, (ulong)pid);
}
