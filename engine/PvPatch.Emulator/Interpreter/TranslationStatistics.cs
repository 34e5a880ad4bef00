namespace PvPatch.Emulator.Interpreter;

/// <summary>What the translator did for one CPU.</summary>
/// <param name="Regions">Regions that were compiled.</param>
/// <param name="Instructions">Guest instructions in them.</param>
/// <param name="Kept">Those of them that were not forgotten since there were too many.</param>
/// <param name="CompileTime">Time that compiling them took, mostly on another thread.</param>
/// <param name="TranslatedTime">About how long translated code was executed, by looks every some ten thousand instructions.</param>
/// <param name="InterpretedTime">About how long other code was.</param>
/// <param name="MemoryExits">Side exits since the TLB did not serve an access.</param>
/// <param name="InstructionExits">Side exits for instructions that are not translated.</param>
/// <param name="BudgetExits">Side exits at a limit of instructions.</param>
/// <param name="TargetExits">Side exits since the target of a return or indirect branch was not known.</param>
public sealed record TranslationStatistics(
    int Regions,
    long Instructions,
    long Kept,
    TimeSpan CompileTime,
    TimeSpan TranslatedTime,
    TimeSpan InterpretedTime,
    ulong MemoryExits,
    ulong InstructionExits,
    ulong BudgetExits,
    ulong TargetExits);
