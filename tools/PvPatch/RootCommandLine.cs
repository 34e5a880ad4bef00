using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Serilog;
using Serilog.Core;

namespace PvPatch.Tool;

/// <summary>The whole command line: options of the root, options of every command, the commands.</summary>
internal sealed class RootCommandLine
{
    private const string Description = """
        Tells which hypervisor runs this system, patches guest kernels for it and runs them.

        Exit codes:
          0   done; for --detect: a hypervisor was found; "run" answers with its program's exit code
          1   --detect: bare hardware; fuzz: something differs; lab: something is worse or not held
          2   wrong usage
          3   a file named on the command line is missing, unreadable or malformed
          4   the environment lacks something
          70  a mistake in PvPatch itself

        Shell completion: "PvPatch [suggest:N] LINE" lists what can stand at position N of LINE;
        docs/detect.md has the lines for bash, zsh and PowerShell.
        """;

    private readonly Option<bool> _detect = new("--detect") { Arity = ArgumentArity.Zero, Description = "Tell what runs this system, how that is known, and which ops would be patched in." };
    private readonly Option<bool> _json = new("--json") { Arity = ArgumentArity.Zero, Description = "With --detect: print JSON." };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Arity = ArgumentArity.Zero, Description = "With --detect: print nothing, only set the exit code." };
    private readonly Option<string?> _cpuid = new("--cpuid") { Description = "With --detect: read CPUID from a file in the form of \"cpuid -r\", and nothing from this system.", HelpName = "FILE" };
    private readonly Option<string?> _logLevel = new("--log-level") { Description = $"Log from this level on, to stderr unless --log-file is given: {string.Join(", ", ToolLog.Levels)}.", HelpName = "LEVEL", Recursive = true };
    private readonly Option<string?> _logFile = new("--log-file") { Description = "Add the log to this file, with the details of unexpected errors.", HelpName = "FILE", Recursive = true };
    private readonly RootCommand _root;

    /// <summary>Builds it.</summary>
    /// <param name="detect">What <c>--detect</c> does.</param>
    internal RootCommandLine(DetectCommand detect)
    {
        _logLevel.CompletionSources.Add(ToolLog.Levels);
        _logLevel.Validators.Add(CheckLevel);
        _root = new RootCommand(Description) { _detect, _json, _quiet, _cpuid, _logLevel, _logFile };

        _root.Subcommands.Add(BootCommand.Create());
        _root.Subcommands.Add(RunCommand.Create());
        _root.Subcommands.Add(FuzzCommand.Create());
        _root.Subcommands.Add(LabCommand.Create());
        _root.Subcommands.Add(LabCommand.CreateProcess());
        _root.Validators.Add(CheckRoot);
        foreach (Command command in _root.Subcommands)          // the root's own are asked only where it stands alone
            command.Validators.Add(result => CheckRoot((CommandResult)result.Parent!));
        _root.SetAction(parsed => parsed.GetValue(_detect)
            ? (int)detect.Run(new DetectOptions(parsed.GetValue(_json), parsed.GetValue(_quiet), parsed.GetValue(_cpuid)))
            : new HelpAction().Invoke(parsed));
    }

    /// <summary>Reads a command line and does what it says.</summary>
    /// <param name="args">The arguments.</param>
    internal ExitCode Run(string[] args)
    {
        ParseResult parsed = _root.Parse(RunCommand.Separate(args, _root));
        if (parsed.Action is ParseErrorAction)
        {
            Failure.Say($"{parsed.Errors[0].Message.TrimEnd('.')}; see 'PvPatch --help'.");
            return ExitCode.WrongUsage;
        }

        string? level = parsed.GetValue(_logLevel);
        string? file = parsed.GetValue(_logFile);
        return level is null && file is null ? Invoke(parsed) : InvokeLogged(parsed, args, level, file);
    }

    private static ExitCode Invoke(ParseResult parsed) =>
        (ExitCode)parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });

    private static ExitCode InvokeLogged(ParseResult parsed, string[] args, string? level, string? file)
    {
        using Logger log = ToolLog.Open(level, file);
        Log.Logger = log;
        ExitCode code;
        try
        {
            log.Information("PvPatch {Arguments} starts", string.Join(' ', args));
            code = Invoke(parsed);
        }
        catch (Exception e)
        {
            log.Error(e, "PvPatch fails");
            throw;
        }

        log.Information("PvPatch ends with {Code}, {Number}", code, (int)code);
        return code;
    }

    private static void CheckLevel(OptionResult level)
    {
        string? word = level.Tokens is [Token only, ..] ? only.Value : null;
        if (word is not null && !ToolLog.Levels.Contains(word, StringComparer.Ordinal))
            level.AddError($"'{word}' is no log level; there are {string.Join(", ", ToolLog.Levels)}");
    }

    private void CheckRoot(CommandResult root)
    {
        bool detect = root.GetValue(_detect);
        bool command = root.Children.Any(child => child is CommandResult);
        if (detect && command)
            root.AddError("'--detect' stands alone, without a command");
        foreach (Option option in (Option[])[_json, _quiet, _cpuid])
        {
            if (!detect && root.GetResult(option) is not null)
                root.AddError($"'{option.Name}' goes with '--detect' only");
        }
    }
}
