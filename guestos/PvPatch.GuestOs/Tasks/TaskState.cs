namespace PvPatch.GuestOs.Tasks;

/// <summary>What a task does.</summary>
public enum TaskState
{
    /// <summary>The slot is free.</summary>
    Free,

    /// <summary>Wants the CPU.</summary>
    Ready,

    /// <summary>Has the CPU.</summary>
    Running,

    /// <summary>Sleeps until a time.</summary>
    Sleeping,

    /// <summary>Waits for another task's exit.</summary>
    Waiting,
}
