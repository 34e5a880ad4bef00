using System.Reflection.Metadata;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>What a call takes from and puts on the evaluation stack.</summary>
/// <param name="Arguments">Number of arguments, <see langword="this"/> among them.</param>
/// <param name="HasImplicitThis">Whether one of them is a <see langword="this"/> that the signature does not list.</param>
/// <param name="ReturnsValue">Whether it returns something.</param>
internal sealed record CallShape(int Arguments, bool HasImplicitThis, bool ReturnsValue)
{
    private const byte Void = 0x01, RequiredModifier = 0x1F, OptionalModifier = 0x20; // partition II, 23.1.16

    /// <summary>Reads a method signature (ECMA-335, partition II, 23.2.1 to 23.2.3).</summary>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: it is none.</exception>
    public static CallShape Read(BlobReader blob)
    {
        SignatureHeader header = blob.ReadSignatureHeader();
        if (header.Kind != SignatureKind.Method)
            throw new PatchException(PatchError.BadImage, "A call's signature is none of a method.");
        if (header.IsGeneric)
            blob.ReadCompressedInteger();
        int listed = blob.ReadCompressedInteger();
        byte type = blob.ReadByte();
        while (type is RequiredModifier or OptionalModifier)
        {
            blob.ReadCompressedInteger();
            type = blob.ReadByte();
        }

        bool implicitThis = header.IsInstance && !header.HasExplicitThis;
        return new CallShape(listed + (implicitThis ? 1 : 0), implicitThis, type != Void);
    }
}
