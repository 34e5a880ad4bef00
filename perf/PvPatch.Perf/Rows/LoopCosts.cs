using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>Benchmarks that are loops of <see cref="Calls"/> calls; the loop's machine code is what is shown.</summary>
public abstract class LoopCosts : IMeasuredCode
{
    /// <summary>Calls of one loop.</summary>
    public const int Calls = 10_000;

    /// <summary>The loop that ran last.</summary>
    public Delegate? Measured { get; private set; }

    /// <summary>Runs a loop.</summary>
    /// <param name="loop">Takes the number of calls.</param>
    protected long Run(Func<int, long> loop)
    {
        Measured = loop;
        return loop(Calls);
    }

    /// <summary>A loop of an op in all forms, after a check that they compute what the one by hand does.</summary>
    /// <param name="byHand">The loop by hand.</param>
    /// <param name="loop">The op's loop.</param>
    internal static LoopForms Forms(Func<int, long> byHand, string loop)
    {
        var forms = new LoopForms(byHand, OpCopies.Loop(OpForm.Slot, loop), OpCopies.Loop(OpForm.Image, loop), OpCopies.Loop(OpForm.InPlace, loop), OpCopies.Loop(OpForm.Late, loop));
        foreach (Func<int, long> form in (Func<int, long>[])[forms.Slot, forms.Image, forms.InPlace, forms.Late])
        {
            if (form(1000) != byHand(1000))
                throw new InvalidOperationException($"A form of the loop {loop} computes something else.");
        }

        return forms;
    }
}

/// <summary>
/// A loop in all forms. All are reached in the same way: a loop of one cycle an iteration feels for all its length what was
/// executed just before it.
/// </summary>
/// <param name="HandWritten">Without an op.</param>
/// <param name="Slot">Through the slot.</param>
/// <param name="Image">Patched before it was loaded.</param>
/// <param name="InPlace">Patched before it was compiled.</param>
/// <param name="Late">Patched when it was hot.</param>
internal sealed record LoopForms(Func<int, long> HandWritten, Func<int, long> Slot, Func<int, long> Image, Func<int, long> InPlace, Func<int, long> Late);
