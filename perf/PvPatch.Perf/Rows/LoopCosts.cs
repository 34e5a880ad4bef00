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

    /// <summary>Loops of an op in all forms, after a check that they compute what the one by hand does.</summary>
    /// <param name="byHand">The loop by hand.</param>
    /// <param name="loop">The op's loop.</param>
    internal static Dictionary<OpForm, Func<int, long>> Forms(Func<int, long> byHand, string loop)
    {
        Dictionary<OpForm, Func<int, long>> forms = Enum.GetValues<OpForm>().ToDictionary(form => form, form => OpCopies.Loop(form, loop));
        foreach ((OpForm form, Func<int, long> run) in forms)
        {
            if (run(1000) != byHand(1000))
                throw new InvalidOperationException($"The loop {loop} computes something else in the form {form}.");
        }

        return forms;
    }
}
