using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>Random system cases, run by the interpreter and by whatever other emulator of PCs is installed.</summary>
public sealed class SystemFuzzTests
{
    [Test]
    [Explicit]
    public void Random_cases_end_as_under_Qemu()
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("SYSTEM_SEED") ?? "1");
        int count = int.Parse(Environment.GetEnvironmentVariable("SYSTEM_CASES") ?? "500");
        var generator = new SystemGenerator(seed);
        List<SystemCase> cases = [.. Enumerable.Range(0, count).Select(_ => generator.Next())];
        using var ours = new EmulatedPc(cases);
        List<SystemResult> mine = SystemResult.Parse(cases, ours.Run());
        var all = ForeignPc.Installed.Select(pc => (pc, pc.Run(cases))).ToList();
        int different = 0;
        int[] differs = new int[all.Count];
        for (int i = 0; i < count; i++)
        {
            string a = SystemCaseText.FormatResult(cases[i], mine[i]);
            bool same = true;
            foreach ((ForeignPc pc, List<SystemResult?> results) in all)
            {
                ulong ignored = pc.Name == "QEMU" ? RFlags.Resume : 0;
                string b = results[i] is { } their ? SystemCaseText.FormatResult(cases[i], their, ignored) : "hangs";
                if (b != SystemCaseText.FormatResult(cases[i], mine[i], ignored) && pc.Name == Environment.GetEnvironmentVariable("SYSTEM_JUDGE"))
                {
                    if (same)
                        TestContext.Out.WriteLine($"{SystemCaseText.Format(cases[i], mine[i]).Split(" => ")[0]} ; {SystemCaseText.Format(cases[i], mine[i]).Split(" ; ")[1]}\n  ours {a}");
                    TestContext.Out.WriteLine($"  {pc.Name} {b}");
                    same = false;
                }
            }

            if (!same)
                different++;
        }

        TestContext.Out.WriteLine($"{different} of {count} differ");
        Assert.That(different, Is.Zero);
    }
}
