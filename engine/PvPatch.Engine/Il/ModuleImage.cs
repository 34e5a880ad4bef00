using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>Where the IL of a method lies in its image.</summary>
/// <param name="method">The method.</param>
/// <param name="offset">In bytes from the start of the image.</param>
/// <param name="length">In bytes.</param>
internal readonly struct PlacedIl(MethodDefinitionHandle method, int offset, int length)
{
    /// <summary>The method.</summary>
    public MethodDefinitionHandle Method { get; } = method;

    /// <summary>In bytes from the start of the image.</summary>
    public int Offset { get; } = offset;

    /// <summary>In bytes.</summary>
    public int Length { get; } = length;
}

/// <summary>A managed image as its file holds it: headers, metadata and method bodies (ECMA-335, partition II, 22 to 25).</summary>
internal sealed unsafe class ModuleImage : IDisposable
{
    private const int MostLocals = 0xFFFE; // partition II, 23.2.6

    private readonly PEReader _pe;
    private readonly byte* _start;
    private readonly Dictionary<Module, bool> _copies = [];
    private HashSet<int>? _shared;

    private ModuleImage(PEReader reader, string file)
    {
        File = file;
        _pe = reader;
        CheckKind();
        _start = _pe.GetEntireImage().Pointer;
        Metadata = _pe.GetMetadataReader();
        if (!Metadata.IsAssembly)
            throw new PatchException(PatchError.NotManaged, $"{Path.GetFileName(File)} is a module without an assembly.");
        AssemblyName = Metadata.GetString(Metadata.GetAssemblyDefinition().Name);
        VersionId = Metadata.GetGuid(Metadata.GetModuleDefinition().Mvid);
        Shapes = new CallShapes(Metadata);
        Names = new MetadataNames(Metadata);
        Signatures = new SignatureTexts(Metadata, Names, SignatureDetail.Modifiers);
        ScopedSignatures = new SignatureTexts(Metadata, Names, SignatureDetail.Scopes);
    }

    /// <summary>Path of the file, or the assembly's name where the image was found in memory.</summary>
    public string File { get; }

    /// <summary>The metadata tables.</summary>
    public MetadataReader Metadata { get; }

    /// <summary>What calls take and give.</summary>
    public CallShapes Shapes { get; }

    /// <summary>Full names of what tokens stand for.</summary>
    public MetadataNames Names { get; }

    /// <summary>Signatures as text.</summary>
    public SignatureTexts Signatures { get; }

    /// <summary>Signatures as text, with the assemblies that types come from: for comparing two of this module.</summary>
    public SignatureTexts ScopedSignatures { get; }

    /// <summary>The assembly's simple name.</summary>
    public string AssemblyName { get; }

    /// <summary>The module version id: the same for copies of one build only.</summary>
    public Guid VersionId { get; }

    /// <summary>Whether a loaded module is of the same build.</summary>
    public bool IsCopyOf(Module module)
    {
        if (!_copies.TryGetValue(module, out bool isCopy))
            _copies[module] = isCopy = module.ModuleVersionId == VersionId && string.Equals(module.Assembly.GetName().Name, AssemblyName, StringComparison.Ordinal);
        return isCopy;
    }

    /// <summary>Whether a defined type, a field or a method of a copy stands here by the same token: tools that rewrite an image may keep its version id.</summary>
    public bool Holds(MemberInfo member)
    {
        Type? type = member as Type ?? member.DeclaringType;
        string? name = type is { IsConstructedGenericType: true } ? type.GetGenericTypeDefinition().FullName : type?.FullName;
        EntityHandle handle = MetadataTokens.EntityHandle(member.MetadataToken);
        int row = MetadataTokens.GetRowNumber(handle);
        return handle.Kind switch
        {
            HandleKind.TypeDefinition => row <= Metadata.TypeDefinitions.Count && string.Equals(Names.Of((TypeDefinitionHandle)handle), name, StringComparison.Ordinal),
            HandleKind.MethodDefinition => row <= Metadata.MethodDefinitions.Count && string.Equals(Names.Of((MethodDefinitionHandle)handle), $"{name}.{member.Name}", StringComparison.Ordinal),
            HandleKind.FieldDefinition => row <= Metadata.FieldDefinitions.Count && string.Equals(FieldName((FieldDefinitionHandle)handle), $"{name}.{member.Name}", StringComparison.Ordinal),
            _ => false,
        };

        string FieldName(FieldDefinitionHandle field) =>
            $"{Names.Of(Metadata.GetFieldDefinition(field).GetDeclaringType())}.{Metadata.GetString(Metadata.GetFieldDefinition(field).Name)}";
    }

    /// <summary>Opens an image.</summary>
    /// <param name="bytes">Content of the file. Nobody may change them while the image is read.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.NotAnImage"/>, <see cref="PatchError.NotManaged"/>, <see cref="PatchError.MixedMode"/>, <see cref="PatchError.BadImage"/>.
    /// </exception>
    public static ModuleImage Open(byte[] bytes, string file)
    {
        if (bytes.Length < 2 || bytes[0] != 'M' || bytes[1] != 'Z')
            throw new PatchException(PatchError.NotAnImage, $"{Path.GetFileName(file)} is no portable executable.");
        return Open(() => new PEReader(ImmutableCollectionsMarshal.AsImmutableArray(bytes)), file);
    }

    /// <summary>Opens an image that the runtime has in memory, where it lies.</summary>
    /// <param name="reader">Reads it; disposed with the image.</param>
    /// <param name="assembly">The assembly's name, for messages.</param>
    /// <exception cref="PatchException"><see cref="PatchError.NotManaged"/>, <see cref="PatchError.MixedMode"/>, <see cref="PatchError.BadImage"/>.</exception>
    public static ModuleImage OpenLoaded(PEReader reader, string assembly) => Open(() => reader, assembly);

    private static ModuleImage Open(Func<PEReader> reader, string file)
    {
        try
        {
            return new ModuleImage(reader(), file);
        }
        catch (Exception e) when (Damage.IsShownBy(e))
        {
            throw new PatchException(PatchError.BadImage, $"{Path.GetFileName(file)} is damaged: {e.Message}", e);
        }
    }

    /// <summary>The methods that have IL.</summary>
    public IEnumerable<MethodDefinitionHandle> MethodsWithIl
    {
        get
        {
            foreach (MethodDefinitionHandle handle in Metadata.MethodDefinitions)
            {
                MethodDefinition method = Metadata.GetMethodDefinition(handle);
                if (method.RelativeVirtualAddress != 0 && (method.ImplAttributes & MethodImplAttributes.CodeTypeMask) == MethodImplAttributes.IL)
                    yield return handle;
            }
        }
    }

    /// <summary>A method's IL, where it lies.</summary>
    public BlobReader IlOf(MethodDefinitionHandle handle) =>
        _pe.GetMethodBody(Metadata.GetMethodDefinition(handle).RelativeVirtualAddress).GetILReader();

    /// <summary>Where the IL of each of them lies, found once.</summary>
    public PlacedIl[] Methods => field ??= PlaceMethods();

    /// <summary>A method's IL, where it lies: it is there as long as the image is open.</summary>
    public ReadOnlySpan<byte> IlAt(PlacedIl place) => new(_start + place.Offset, place.Length); // SAFETY: its reader found it within the image

    /// <summary>
    /// Whether some of a method's IL is another method's too: rewriting tools fold equal bodies into one. What one of them may
    /// name another may not, and a change of one is a change of all.
    /// </summary>
    public bool IsShared(MethodBody body) => (_shared ??= SharedOffsets()).Contains(body.Offset);

    /// <summary>The body of a method.</summary>
    public MethodBody BodyOf(MethodDefinitionHandle handle)
    {
        MethodDefinition method = Metadata.GetMethodDefinition(handle);
        MethodHeader header = HeaderAt(method.RelativeVirtualAddress);
        return new MethodBody
        {
            Token = MetadataTokens.GetToken(handle),
            Name = Names.Of(handle),
            Offset = header.IlOffset,
            Il = new ReadOnlySpan<byte>(_start + header.IlOffset, header.IlLength).ToArray(), // SAFETY: the header was read within its section
            MaxStack = header.MaxStack,
            LocalCount = header.LocalSignature.IsNil ? 0 : LocalsIn(header.LocalSignature),
            LocalSignature = header.LocalSignature,
            InitLocals = header.InitLocals,
            Regions = header.HasSections ? _pe.GetMethodBody(method.RelativeVirtualAddress).ExceptionRegions : [],
            ReturnsValue = Shapes.Of(method.Signature).ReturnsValue,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _pe.Dispose();

    private void CheckKind()
    {
        if (_pe.PEHeaders.CorHeader is not { } header || !_pe.HasMetadata)
            throw new PatchException(PatchError.NotManaged, $"{Path.GetFileName(File)} holds no managed code.");

        // Partition II, 25.3.3.1. An image precompiled by the SDK is not IL-only either, but has a header of its own for
        // the native code, which loading from a stream leaves unused.
        bool precompiled = header.ManagedNativeHeaderDirectory.Size > 0;
        if (!header.Flags.HasFlag(CorFlags.ILOnly) && !precompiled)
            throw new PatchException(PatchError.MixedMode, $"{Path.GetFileName(File)} mixes IL with native code.");
    }

    private PatchException Damaged(string how) =>
        new(PatchError.BadImage, $"{Path.GetFileName(File)} is damaged: {how}.");

    private int LocalsIn(StandaloneSignatureHandle handle)
    {
        BlobReader blob = Metadata.GetBlobReader(Metadata.GetStandaloneSignature(handle).Signature);
        if (blob.ReadSignatureHeader().Kind != SignatureKind.LocalVariables)
            throw Damaged("the signature of a method's locals is none");
        int count = blob.ReadCompressedInteger();
        return count <= MostLocals && count <= blob.RemainingBytes // each has a type, which takes a byte at least
            ? count
            : throw Damaged("a method has more locals than their signature can hold");
    }

    private PlacedIl[] PlaceMethods()
    {
        var places = new PlacedIl[Metadata.MethodDefinitions.Count];
        int count = 0;
        foreach (MethodDefinitionHandle handle in MethodsWithIl)
        {
            MethodHeader header = HeaderAt(Metadata.GetMethodDefinition(handle).RelativeVirtualAddress);
            places[count++] = new PlacedIl(handle, header.IlOffset, header.IlLength);
        }

        if (count == places.Length)
            return places;
        var all = new PlacedIl[count];
        Array.Copy(places, all, count);
        return all;
    }

    /// <summary>Reads the header of a body (partition II, 25.4.1 to 25.4.4); <c>PEReader</c> would make objects of the whole body.</summary>
    private MethodHeader HeaderAt(int address)
    {
        const int FormatMask = 3, Tiny = 2, Fat = 3, TinySizeShift = 2, TinyMaxStack = 8;
        const int MoreSections = 8, InitLocals = 0x10, FatSizeShift = 12, FatSize = 12;
        BlobReader body = _pe.GetSectionData(address).GetReader();
        int offset = (int)(body.StartPointer - _start), flags = body.ReadByte();
        var header = new MethodHeader { IlOffset = offset + 1, IlLength = flags >> TinySizeShift, MaxStack = TinyMaxStack };
        if ((flags & FormatMask) != Tiny)
        {
            flags |= body.ReadByte() << 8;
            if ((flags & FormatMask) != Fat || flags >> FatSizeShift != FatSize / sizeof(int))
                throw Damaged("a method's header is none");
            header = new MethodHeader
            {
                IlOffset = offset + FatSize,
                MaxStack = body.ReadUInt16(),
                IlLength = body.ReadInt32(),
                LocalSignature = LocalSignatureOf(body.ReadInt32()),
                InitLocals = (flags & InitLocals) != 0,
                HasSections = (flags & MoreSections) != 0,
            };
        }

        return (uint)header.IlLength <= body.RemainingBytes ? header : throw Damaged("a method's IL reaches beyond its section");
    }

    private StandaloneSignatureHandle LocalSignatureOf(int token)
    {
        if (token == 0)
            return default;
        EntityHandle handle = MetadataTokens.EntityHandle(token);
        return handle.Kind == HandleKind.StandaloneSignature
            ? (StandaloneSignatureHandle)handle
            : throw Damaged("a method's locals have no signature");
    }

    private HashSet<int> SharedOffsets()
    {
        var places = new long[Methods.Length]; // offset, and length below it
        for (int i = 0; i < places.Length; i++)
            places[i] = ((long)Methods[i].Offset << 32) | (uint)Methods[i].Length;
        Array.Sort(places);
        var shared = new HashSet<int>();
        int furthest = 0, furthestEnd = 0; // of the one that reaches furthest so far
        foreach (long place in places)
        {
            int offset = (int)(place >> 32), end = offset + (int)place;
            if (offset < furthestEnd)
            {
                shared.Add(offset);
                shared.Add(furthest);
            }

            if (end > furthestEnd)
                (furthest, furthestEnd) = (offset, end);
        }

        return shared;
    }

    /// <summary>The header of a method's body.</summary>
    private readonly struct MethodHeader
    {
        public int IlOffset { get; init; }

        public int IlLength { get; init; }

        public int MaxStack { get; init; }

        public StandaloneSignatureHandle LocalSignature { get; init; }

        public bool InitLocals { get; init; }

        public bool HasSections { get; init; }
    }
}
