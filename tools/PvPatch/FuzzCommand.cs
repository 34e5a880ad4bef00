using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using PvPatch.Emulator.Interpreter;
using PvPatch.Oracle;

namespace PvPatch.Tool;

/// <summary><c>fuzz</c>: judges the emulator by the host's processor.</summary>
internal static class FuzzCommand
{
    private const double MostMinutes = 1_000_000;
    private const string Interpreter = "0";
    private const string Translator = "1";

    private const string Description = """
        Run random instructions and sequences of instructions on the host's processor and in the emulator, and compare all
        that the manuals define. What differs is shrunk and printed as a line for a case file. Without --minutes and
        --cases it goes on until Ctrl-C, which ends it with the summary.

        Exit codes:
          0  no difference
          1  something differs
          2, 3, 4, 70  as in "PvPatch --help"; 3: FILE can't be written; 4: the host is not Linux on x86-64
        """;

    /// <summary>The command with its options.</summary>
    internal static Command Create()
    {
        Option<double?> minutes = new("--minutes") { Description = "Go on for M minutes, which may be a fraction.", HelpName = "M", CustomParser = ParseMinutes };
        Option<long?> cases = new("--cases") { Description = "Stop after N cases.", HelpName = "N", CustomParser = result => Parse(result, 1, long.MaxValue) };
        Option<long?> seed = new("--seed") { Description = "Where the random choices start; the same seed gives the same cases. It is printed.", HelpName = "S", CustomParser = result => Parse(result, 0, int.MaxValue) };
        Option<string?> output = new("--out") { Description = "Also add what differs to this file, a line a case.", HelpName = "FILE" };
        Option<string> only = new("--only") { Description = "Only instructions whose form, as Iced names it, starts so: \"Add_\", \"Pcmp\".", HelpName = "FORM", DefaultValueFactory = _ => string.Empty };
        Option<string> tier = new("--tier") { Description = "0: the interpreter is judged; 1: each case is translated first, which takes a millisecond or two.", HelpName = "0|1", DefaultValueFactory = _ => Interpreter };
        tier.AcceptOnlyFromAmong(Interpreter, Translator);
        var command = new Command("fuzz", Description) { minutes, cases, seed, output, only, tier };
        command.Validators.Add(result =>
        {
            if (result.GetResult(minutes) is not null && result.GetResult(cases) is not null)
                result.AddError("'--minutes' and '--cases' exclude each other");
        });
        command.SetAction(parsed => (int)new FuzzSession(
            new FuzzOptions
            {
                Seed = (int)(parsed.GetValue(seed) ?? Random.Shared.Next()),
                Cases = parsed.GetValue(cases),
                Duration = parsed.GetValue(minutes) is { } time ? TimeSpan.FromMinutes(time) : null,
                Only = parsed.GetValue(only)!,
            },
            parsed.GetValue(tier) == Translator ? ExecutionTier.Translated : ExecutionTier.Interpreted,
            parsed.GetValue(output)).Run());
        return command;
    }

    private static double? ParseMinutes(ArgumentResult argument)
    {
        string word = argument.Tokens[0].Value;
        if (double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double minutes) && minutes is > 0 and <= MostMinutes)
            return minutes;
        argument.AddError($"'{word}' is no number of minutes from above 0 to {MostMinutes}");
        return null;
    }

    private static long? Parse(ArgumentResult argument, long least, long most)
    {
        string word = argument.Tokens[0].Value;
        if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most)
            return value;
        argument.AddError($"'{word}' is no whole number from {least} to {most}");
        return null;
    }
}
