namespace PvPatch.Emulator.Linux.Loading;

/// <summary>What a program is started with, as execve(2) gives it.</summary>
/// <param name="Path">Its file, as it is told to itself.</param>
/// <param name="Arguments">The arguments; the first one is the program's name.</param>
/// <param name="Environment">The environment, NAME=VALUE.</param>
internal sealed record ProgramStart(string Path, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment);
