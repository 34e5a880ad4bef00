using System.Globalization;
using System.Text.RegularExpressions;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Yardsticks;

/// <summary>Counts the instructions of a program, as <c>run --stats</c> tells them.</summary>
internal static partial class GuestInstructions
{
    /// <summary>How many one repetition has: the difference of runs with three and with one, halved.</summary>
    public static long OfRepetition(Yardstick yardstick) => (OfRun(yardstick, 3) - OfRun(yardstick, 1)) / 2;

    private static long OfRun(Yardstick yardstick, long repetitions)
    {
        string told = ChildProcess.RunWell([.. OwnProgram.Command, "run", "--stats", yardstick.Program, $"{repetitions}"]).Error;
        return long.Parse(Count().Match(told).Groups["count"].ValueSpan, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("PvPatch: (?<count>[0-9,]+) instructions", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Count();
}
