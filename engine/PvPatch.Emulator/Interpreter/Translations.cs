using System.Diagnostics;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// Has regions compiled, one at a time, on another thread or at once, and gives them back to the thread that executes the CPU's code:
/// only that one touches decoded instructions. A region of whose pages one changed in the meantime is dropped.
/// </summary>
internal sealed class Translations : IDisposable
{
    private Order? _wanted;
    private long _ticks;

    /// <summary>Guest instructions in regions, of all pages together, at which all are forgotten and their memory is given back.</summary>
    public int MostInstructions { get; set; } = 200_000;

    /// <summary>Guest instructions in regions since all were forgotten.</summary>
    public int Kept { get; private set; }

    /// <summary>Regions that were compiled.</summary>
    public int Regions { get; private set; }

    /// <summary>Guest instructions in them.</summary>
    public long Instructions { get; private set; }

    /// <summary>Time that compiling took.</summary>
    public TimeSpan CompileTime => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _ticks));

    /// <summary>Whether a region is being compiled.</summary>
    public bool IsBusy => _wanted != null;

    /// <summary>Whether a region was compiled that <see cref="Take"/> installs.</summary>
    public bool IsReady => _wanted is { Region.IsCompleted: true };

    /// <summary>Whether there is so much translated code that all should be forgotten.</summary>
    public bool IsFull => Kept > MostInstructions;

    /// <summary>All translated code was forgotten.</summary>
    public void Forgotten() => Kept = 0;

    /// <summary>Has a region compiled; the one before was taken.</summary>
    /// <param name="pages">Its pages, the one it is made for first.</param>
    /// <param name="compile">Compiles it, on any thread.</param>
    /// <param name="atOnce">Not before it is installed does this return.</param>
    public void Want(IReadOnlyList<CodePage> pages, Func<TranslatedRegion> compile, bool atOnce)
    {
        if (!atOnce)
        {
            _wanted = new Order(Task.Run(Timed), pages, AgeOf(pages));
            return;
        }

        Install(pages, Timed());

        TranslatedRegion Timed()
        {
            long start = Stopwatch.GetTimestamp();
            TranslatedRegion region = compile();
            Interlocked.Add(ref _ticks, Stopwatch.GetTimestamp() - start);
            return region;
        }
    }

    /// <summary>Installs what is ready, if its pages are as they were.</summary>
    public void Take()
    {
        if (_wanted is not { } wanted)
            return;
        _wanted = null;
        TranslatedRegion region = wanted.Region.GetAwaiter().GetResult();
        if (AgeOf(wanted.Pages) == wanted.Age)
            Install(wanted.Pages, region);
        else
            region.Dispose();
    }

    /// <summary>Waits for what is being compiled and drops it.</summary>
    public void Dispose()
    {
        if (_wanted is not { } wanted)
            return;
        _wanted = null;
        wanted.Region.GetAwaiter().GetResult().Dispose();
    }

    /// <summary>Ages only grow: the sum stays if all do.</summary>
    private static int AgeOf(IReadOnlyList<CodePage> pages)
    {
        int age = 0;
        foreach (CodePage page in pages)
            age += page.Age;
        return age;
    }

    private void Install(IReadOnlyList<CodePage> pages, TranslatedRegion region)
    {
        var installed = new InstalledRegion(region, pages);
        foreach (CodePage page in pages)
            page.Regions.Add(installed);
        Regions++;
        Kept += region.Instructions.Length;
        Instructions += region.Instructions.Length;
    }

    private sealed record Order(Task<TranslatedRegion> Region, IReadOnlyList<CodePage> Pages, int Age);
}
