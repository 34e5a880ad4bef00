using System.Collections.Immutable;
using System.Reflection.Metadata;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>A method's body in an image (ECMA-335, partition II, 25.4).</summary>
internal sealed class MethodBody
{
    /// <summary>Metadata token of the method.</summary>
    public required int Token { get; init; }

    /// <summary>Full name of the method.</summary>
    public required string Name { get; init; }

    /// <summary>Where its IL starts, in bytes from the start of the image as it lies in its file or in memory.</summary>
    public required int Offset { get; init; }

    /// <summary>Its IL, without header.</summary>
    public required byte[] Il { get; init; }

    /// <summary>The most entries that the evaluation stack may hold.</summary>
    public required int MaxStack { get; init; }

    /// <summary>Number of local variables.</summary>
    public required int LocalCount { get; init; }

    /// <summary>Signature of its local variables.</summary>
    public required StandaloneSignatureHandle LocalSignature { get; init; }

    /// <summary>Whether its local variables start as zero.</summary>
    public required bool InitLocals { get; init; }

    /// <summary>Protected regions and their handlers.</summary>
    public required ImmutableArray<ExceptionRegion> Regions { get; init; }

    /// <summary>Whether <c>ret</c> takes a value from the stack.</summary>
    public required bool ReturnsValue { get; init; }

    /// <summary>The error that its IL breaks the rules of the evaluation stack or of protected regions.</summary>
    /// <param name="offset">Where, in bytes from the start of its IL.</param>
    /// <param name="what">How.</param>
    public PatchException CannotBeFollowed(int offset, string what) =>
        new(PatchError.BadIl, $"The IL of {Name} cannot be followed at {offset}: {what}.") { Method = Name, Offset = offset };
}
