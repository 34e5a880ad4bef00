namespace PvPatch.Matrix;

/// <summary>A point in the middle of a method at which something is done.</summary>
public static class Moment
{
    /// <summary>What is done; nothing while it is not set.</summary>
    public static Action? Due { get; set; }

    /// <summary>Does it, once.</summary>
    public static void Come()
    {
        Action? due = Due;
        Due = null;
        due?.Invoke();
    }
}
