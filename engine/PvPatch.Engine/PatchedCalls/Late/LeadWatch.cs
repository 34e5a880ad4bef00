namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>
/// Looks from time to time whether the runtime has led methods to code of its own. It does so once or twice soon after they
/// were led elsewhere, when it had begun to count their calls or to compile them before; then no more.
/// </summary>
internal sealed class LeadWatch : IDisposable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50), Longest = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Func<bool> _leadAgain;
    private readonly Timer _timer;
    private TimeSpan _pause = Shortest;
    private bool _isOver;

    /// <param name="leadAgain">Leads them back, and tells whether there were any. It may be called once more after <see cref="Dispose"/>.</param>
    public LeadWatch(Func<bool> leadAgain)
    {
        _leadAgain = leadAgain;
        _timer = new Timer(static watch => ((LeadWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Looks soon: something was just led.</summary>
    public void Begin() => LookIn(Shortest);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _isOver = true;
        _timer.Dispose();
    }

    private void Look() => LookIn(_leadAgain() ? Shortest : TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, Longest.Ticks)));

    private void LookIn(TimeSpan pause)
    {
        lock (_gate)
        {
            _pause = pause;
            if (!_isOver)
                _timer.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }
}
