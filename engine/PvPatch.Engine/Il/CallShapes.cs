using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>The shapes of the signatures of one module, each read once: methods of one type share a signature.</summary>
/// <param name="metadata">The module's metadata.</param>
internal sealed class CallShapes(MetadataReader metadata)
{
    private readonly Dictionary<int, CallShape> _known = []; // by place in the heap

    /// <summary>The shape of a method signature.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: it is none.</exception>
    public CallShape Of(BlobHandle signature)
    {
        int offset = metadata.GetHeapOffset(signature);
        if (!_known.TryGetValue(offset, out CallShape? shape))
            _known[offset] = shape = CallShape.Read(metadata.GetBlobReader(signature));
        return shape;
    }

    /// <summary>The shape of what a token calls: a method or a stand-alone signature.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: it stands for neither.</exception>
    public CallShape Of(int token) => Of(SignatureOf(MetadataTokens.EntityHandle(token)));

    private BlobHandle SignatureOf(EntityHandle handle) => handle.Kind switch
    {
        HandleKind.MethodDefinition => metadata.GetMethodDefinition((MethodDefinitionHandle)handle).Signature,
        HandleKind.MemberReference => metadata.GetMemberReference((MemberReferenceHandle)handle).Signature,
        HandleKind.StandaloneSignature => metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle).Signature,
        HandleKind.MethodSpecification => SignatureOf(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method),
        _ => throw new PatchException(PatchError.BadImage, $"The image is damaged: a call of a {handle.Kind}."),
    };
}
