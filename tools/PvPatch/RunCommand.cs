using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;
using Serilog;

namespace PvPatch.Tool;

/// <summary><c>run</c>: runs a static x86-64 Linux program on the emulator.</summary>
internal static class RunCommand
{
    private const string Name = "run";
    private const ulong LeastMemory = 2;
    private const ulong MostMemory = 65536;

    private static readonly Dictionary<string, ExecutionTier> Tiers = new(StringComparer.Ordinal)
    {
        ["0"] = ExecutionTier.Interpreted,
        ["1"] = ExecutionTier.Translated,
        ["auto"] = ExecutionTier.Automatic,
    };

    private static readonly Dictionary<string, SensitiveBinding> Bindings = new(StringComparer.Ordinal)
    {
        ["indirect"] = SensitiveBinding.Indirect,
        ["patched"] = SensitiveBinding.Patched,
    };

    private const string Description = """
        Run a static x86-64 Linux program on the emulator. Everything after PROGRAM belongs to the program.

        Exit codes:
          N      the program's own exit status
          128+S  signal S ended the program: 132 illegal instruction, 133 breakpoint, 134 abort, 135 bus error,
                 136 arithmetic, 137 out of memory, 139 segmentation fault, 141 broken pipe
          124    --max-instructions was reached
          130    Ctrl-C; 143 the request to terminate
          70     --lockstep found a difference
          0      --explain told its story
          2, 3, 4, 70  as in "PvPatch --help"; 3: PROGRAM can't be read or is no such program, or the address of
                 --explain is none of its code or was not executed
        """;

    /// <summary>The command with its options.</summary>
    internal static Command Create()
    {
        Argument<string> program = new("PROGRAM") { Description = "The program's file." };
        Argument<string[]> arguments = new("ARGS") { Description = "The program's arguments.", Arity = ArgumentArity.ZeroOrMore };
        Option<bool> stats = new("--stats") { Arity = ArgumentArity.Zero, Description = "Print instructions, MIPS by CPU time and memory figures to stderr at the end." };
        Option<bool> trace = new("--trace") { Arity = ArgumentArity.Zero, Description = "Print each instruction to stderr before it is executed." };
        Option<ulong> maxInstructions = new("--max-instructions") { Description = "Stop after N instructions.", HelpName = "N", DefaultValueFactory = _ => ulong.MaxValue, CustomParser = result => Parse(result, 1, ulong.MaxValue) };
        Option<ulong> memory = new("--memory") { Description = "MiB of memory for the program and its page tables.", HelpName = "MIB", DefaultValueFactory = _ => 1024, CustomParser = result => Parse(result, LeastMemory, MostMemory) };
        Option<string> tier = new("--tier") { Description = "0: interpret, 1: translate everything first, auto: translate what is executed often.", HelpName = "0|1|auto", DefaultValueFactory = _ => "auto" };
        Option<bool> lockStep = new("--lockstep") { Arity = ArgumentArity.Zero, Description = "Interpret all beside it on a copy, compare, and stop at the first difference with both states." };
        Option<string> sensitive = new("--sensitive") { Description = "How translated code calls the ops of sensitive instructions: patched as their slots ask for, or through the slots. --stats shows them.", HelpName = "indirect|patched", DefaultValueFactory = _ => "patched" };
        Option<string?> explain = new("--explain") { Description = "Stop where ADDRESS (a symbol or hexadecimal) is executed first, and tell what becomes of the code there: bytes, IL, machine code.", HelpName = "ADDRESS" };
        tier.AcceptOnlyFromAmong([.. Tiers.Keys]);
        sensitive.AcceptOnlyFromAmong([.. Bindings.Keys]);
        program.Validators.Add(CheckProgram);
        var command = new Command(Name, Description) { program, arguments, stats, trace, tier, lockStep, sensitive, explain, maxInstructions, memory };
        command.Validators.Add(result =>
        {
            if (result.GetValue(explain) is not null && result.GetValue(lockStep))
                result.AddError("--explain and --lockstep exclude each other");
        });
        command.SetAction(parsed => (int)new RunSession(new RunOptions
        {
            Program = parsed.GetValue(program)!,
            Arguments = parsed.GetValue(arguments) ?? [],
            Stats = parsed.GetValue(stats),
            Trace = parsed.GetValue(trace),
            Tier = Tiers[parsed.GetValue(tier)!],
            LockStep = parsed.GetValue(lockStep),
            Sensitive = Bindings[parsed.GetValue(sensitive)!],
            Explain = parsed.GetValue(explain),
            MaxInstructions = parsed.GetValue(maxInstructions),
            Memory = parsed.GetValue(memory),
            Note = static sentence => Log.Warning("{Sentence:l}", sentence),
        }).Run());
        return command;
    }

    /// <summary>
    /// Puts <c>--</c> before PROGRAM, so that what follows it is not read as options of ours.
    /// </summary>
    /// <param name="args">The command line.</param>
    /// <param name="root">The root command, whose options that go with every command may stand before and after <c>run</c>.</param>
    internal static string[] Separate(string[] args, Command root)
    {
        Command? command = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--")
                return args;
            if (args[i].StartsWith('-'))
            {
                if (TakesValue(args[i], root) || (command is not null && TakesValue(args[i], command)))
                    i++;
            }
            else if (command is not null)
            {
                return [.. args[..i], "--", .. args[i..]];
            }
            else if (args[i] == Name)
            {
                command = root.Subcommands.First(found => found.Name == Name);
            }
            else
            {
                return args;
            }
        }

        return args;
    }

    /// <summary>The library takes an option that it does not know for an argument.</summary>
    private static void CheckProgram(ArgumentResult program)
    {
        if (program.Tokens is [Token only, ..] && only.Value.StartsWith('-'))
            program.AddError($"'{only.Value}' is no option of 'run'; a program of that name is './{only.Value}'");
    }

    private static bool TakesValue(string word, Command command) =>
        command.Options.Any(option => option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool) && (option.Name == word || option.Aliases.Contains(word)));

    private static ulong Parse(ArgumentResult argument, ulong least, ulong most)
    {
        string word = argument.Tokens[0].Value;
        if (!ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value < least || value > most)
            argument.AddError($"'{word}' is no whole number from {least} to {most}");
        return value;
    }
}
