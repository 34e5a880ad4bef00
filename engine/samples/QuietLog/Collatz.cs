namespace PvPatch.Samples.QuietLog;

/// <summary>Halve the even, triple the odd and add one: how many steps until one? Each step is logged.</summary>
internal static class Collatz
{
    private const int Start = 837_799;      // the longest way below a million

    /// <summary>Steps of one round, each of which logs once.</summary>
    public const int StepsPerRound = 524;

    /// <summary>So many rounds with the log lines.</summary>
    public static Func<int, ulong> WithLog => Rounds;

    /// <summary>So many rounds of the code without its log lines.</summary>
    public static Func<int, ulong> WithoutLog => RoundsWithoutLog;

    private static ulong Rounds(int rounds)
    {
        ulong steps = 0;
        for (int i = 0; i < rounds; i++)
            steps += Steps(Start);
        return steps;
    }

    private static ulong RoundsWithoutLog(int rounds)
    {
        ulong steps = 0;
        for (int i = 0; i < rounds; i++)
            steps += StepsWithoutLog(Start);
        return steps;
    }

    /// <summary>Prints how many steps a number needs.</summary>
    public static void Print(long number) => Console.WriteLine($"{number} comes to 1 in {Steps(number)} steps.");

    private static ulong Steps(long number)
    {
        ulong steps = 0;
        for (; number != 1; steps++)
        {
            Log.Trace(LogEvent.Step, number);
            number = (number & 1) == 0 ? number >> 1 : (number * 3) + 1;
        }

        return steps;
    }

    private static ulong StepsWithoutLog(long number)
    {
        ulong steps = 0;
        for (; number != 1; steps++)
            number = (number & 1) == 0 ? number >> 1 : (number * 3) + 1;
        return steps;
    }
}
