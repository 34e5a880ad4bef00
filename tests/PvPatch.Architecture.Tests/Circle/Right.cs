namespace PvPatch.Architecture.Tests.Circle.Right;

/// <summary>The other half.</summary>
internal sealed class Hand
{
    public Left.Hand? Other { get; init; }
}
