using PvPatch.Perf.Measuring;

namespace PvPatch.Matrix;

/// <summary>
/// Patches itself and prints a line a kind: the cell, the kind, the verdict and the reason, with tabs between. What must
/// not be is printed as <c>wrong</c>, and then the exit code is 1.
/// </summary>
internal static class Program
{
    /// <param name="arguments">The way, the state, which copy (<c>host</c>: this very program; <c>path</c>, <c>memory</c>: further ones), the program's file.</param>
    private static int Main(string[] arguments)
    {
        if (arguments is not [var way, var state, var copy, var file])
        {
            Console.Error.WriteLine("The arguments are: WAY STATE COPY FILE.");
            return 2;
        }

        var reference = new Cell.Reference(file);
        List<Cell> cells = [.. Words.WaysOf(way)
            .SelectMany(w => Words.StatesOf(state).Select(s => new Cell(w, s, CopyOf(copy, file), file, reference)))];
        List<Cell> hot = cells.FindAll(c => c.State == State.Tier1);

        const int HotPasses = 7; // of seven arguments
        SettledCode.Reach(() => hot.ForEach(c => c.CheckValues("unpatched", HotPasses)));
        cells.FindAll(c => c.State == State.Tier0).ForEach(c => c.CheckValues("unpatched"));
        cells.ForEach(c => c.Patch());
        cells.ForEach(c => c.Observe(passes: 1));
        SettledCode.Reach(() => cells.ForEach(c => c.Observe(HotPasses)));
        cells.ForEach(c => c.Observe(passes: 1));
        cells.ForEach(c => c.Restore());
        return Tell(cells);
    }

    private static Subject CopyOf(string copy, string file) =>
        copy == "host" ? new Subject(typeof(Program).Assembly) : Subject.Load(file, fromMemory: copy == "memory");

    private static int Tell(List<Cell> cells)
    {
        int mistakes = 0;
        foreach (Cell cell in cells)
        {
            foreach (Outcome outcome in cell.Outcomes)
            {
                Console.WriteLine($"{cell}\t{outcome.Kind.Name}\t{outcome.Verdict}\t{outcome.Reason}");
                foreach (string mistake in outcome.Mistakes)
                {
                    mistakes++;
                    Console.WriteLine($"{cell}\t{outcome.Kind.Name}\twrong\t{mistake}");
                }
            }
        }

        return mistakes == 0 ? 0 : 1;
    }
}
