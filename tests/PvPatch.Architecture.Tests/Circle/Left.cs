namespace PvPatch.Architecture.Tests.Circle.Left;

/// <summary>One half of a circle, for the test of the test.</summary>
internal sealed class Hand
{
    public Right.Hand? Other { get; init; }
}
