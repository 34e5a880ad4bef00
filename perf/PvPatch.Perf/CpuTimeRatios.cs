using System.Globalization;

namespace PvPatch.Perf;

/// <summary>
/// The rows of <see cref="ReplacementCosts"/> and <see cref="CallCosts"/> in CPU time, which a machine that does other things too
/// disturbs less than the clock: all forms in turn in one process, the least of many short runs of each.
/// </summary>
internal static class CpuTimeRatios
{
    private const int Turns = 150, WarmUps = 60, RepeatsATurn = 40;

    /// <summary>Measures and prints.</summary>
    public static void Measure()
    {
        Console.WriteLine("ns a call, CPU time   hand-written    patched      slot   patched/hand-written   slot/patched");
        foreach (Held held in Enum.GetValues<Held>())
        {
            var costs = new ReplacementCosts { Slot = held };
            costs.SetUp();
            double[] least = LeastOf([costs.HandWritten, costs.Patched, costs.ThroughSlot]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{held,-20}  {least[0],12:F3} {least[1],10:F3} {least[2],9:F3} {least[1] / least[0],22:F3} {least[2] / least[1],14:F1}"));
        }

        var calls = new CallCosts();
        calls.SetUp();
        double[] entries = LeastOf([calls.Slot, calls.CompiledEntry]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Through a slot with an entry that the engine made {entries[0]:F3}, with a compiled one {entries[1]:F3}: {entries[0] / entries[1]:F3}."));
    }

    private static double[] LeastOf(Func<long>[] forms)
    {
        for (int i = 0; i < WarmUps; i++)
        {
            foreach (Func<long> form in forms)
                form();
            if (i % (WarmUps / 3) == 0)
                Thread.Sleep(250); // the runtime compiles anew in the background
        }

        double[] least = [.. forms.Select(_ => double.MaxValue)];
        for (int turn = 0; turn < Turns; turn++)
        {
            for (int i = 0; i < forms.Length; i++)
                least[i] = Math.Min(least[i], NanosecondsOf(forms[i]));
        }

        return least;
    }

    private static double NanosecondsOf(Func<long> form)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < RepeatsATurn; i++)
            form();
        return (Environment.CpuUsage.TotalTime - start).TotalMilliseconds * 1e6 / RepeatsATurn / CallCosts.Calls;
    }
}
