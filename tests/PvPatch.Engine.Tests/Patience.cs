namespace PvPatch.Engine.Tests;

/// <summary>
/// When a test that should have ended hangs. No test is a measure of the machine's speed: on a busy one half a minute
/// becomes three.
/// </summary>
internal static class Patience
{
    public const int Milliseconds = 600_000;
}
