namespace PvPatch.Emulator.Hooks;

/// <summary>Who wants to be called for which range of addresses, ports, MSRs or vectors. Changed between runs or by a hook itself.</summary>
internal sealed class HookRanges<THook>
    where THook : Delegate
{
    private readonly Action _changed;
    private HookRange<THook>[] _ranges = [];

    /// <summary>No hooks yet.</summary>
    /// <param name="changed">Called after each change.</param>
    public HookRanges(Action? changed = null) => _changed = changed ?? (static () => { });

    /// <summary>Whether there is no hook.</summary>
    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>Grows with each change.</summary>
    public int Version { get; private set; }

    /// <summary>All hooks in the order they were added.</summary>
    public ReadOnlySpan<HookRange<THook>> All => _ranges;

    /// <summary>Adds a hook; disposing what is returned takes it away.</summary>
    public IDisposable Add(ulong first, ulong last, THook hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        var range = new HookRange<THook>(first, last, hook, this);
        Set([.. _ranges, range]);
        return range;
    }

    /// <summary>Takes a hook away.</summary>
    public void Remove(HookRange<THook> range) => Set([.. _ranges.Where(one => one != range)]);

    /// <summary>Whether some hook's range touches a range.</summary>
    public bool Touch(ulong first, ulong last)
    {
        foreach (HookRange<THook> range in _ranges)
        {
            if (range.Touches(first, last)) return true;
        }

        return false;
    }

    private void Set(HookRange<THook>[] ranges)
    {
        _ranges = ranges;
        Version++;
        _changed();
    }
}

/// <summary>One hook and its range.</summary>
internal sealed class HookRange<THook>(ulong first, ulong last, THook hook, HookRanges<THook> owner) : IDisposable
    where THook : Delegate
{
    /// <summary>Whom to call.</summary>
    public THook Hook { get; } = hook;

    /// <summary>Whether the range touches another one.</summary>
    public bool Touches(ulong from, ulong to) => from <= last && to >= first;

    public void Dispose() => owner.Remove(this);
}
