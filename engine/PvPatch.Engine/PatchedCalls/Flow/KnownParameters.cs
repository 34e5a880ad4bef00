using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What a parameter is at every call: the address or value of a place, or what a slot holds.</summary>
/// <param name="Kind"><see cref="FlowKind.Table"/> or <see cref="FlowKind.Slot"/>.</param>
/// <param name="Node">The place.</param>
internal sealed record ParameterFact(FlowKind Kind, SlotNode Node);

/// <summary>
/// The parameters, <see langword="this"/> among them, through which methods get tables and slots. A parameter is known where
/// every caller is: the method can be named in its own module only and can be no op's target, is called there and never
/// referred to otherwise, and each of these calls passes the same place. Found as the greatest fixed point over the calls of such methods.
/// </summary>
internal sealed class KnownParameters
{
    private const byte MethodTable = 0x06; // ECMA-335, partition II, 22.26

    private readonly CallShapes _shapes;
    private readonly SlotMap _map;
    private readonly StackFlow _flow;
    private readonly Dictionary<int, Il.MethodBody> _bodies = [];
    private readonly Dictionary<int, List<int>> _callersOf = [];
    private readonly Dictionary<int, ParameterFact?[]> _facts = [];
    private readonly Queue<int> _waiting = new();

    /// <summary>Looks through a module.</summary>
    /// <param name="image">The module.</param>
    /// <param name="map">Its tokens of tables and slots.</param>
    /// <param name="flow">Follows its methods.</param>
    public KnownParameters(ModuleImage image, SlotMap map, StackFlow flow)
    {
        _flow = flow;
        _shapes = image.Shapes;
        _map = map;
        HashSet<int> candidates = Candidates(image);
        if (candidates.Count == 0)
            return;
        FindCallers(image, candidates);

        foreach (int caller in _bodies.Keys.Where(c => !candidates.Contains(c)))
            _waiting.Enqueue(caller);
        Run(candidates);
        foreach (int caller in _bodies.Keys.Where(c => candidates.Contains(c) && !_facts.ContainsKey(c)))
            _waiting.Enqueue(caller); // no call of it was seen; what it passes on counts all the same
        Run(candidates);
    }

    /// <summary>What is known of a method's parameters, by number.</summary>
    /// <param name="method">The method's token.</param>
    public ParameterFact?[] Of(int method) => _facts.TryGetValue(method, out ParameterFact?[]? facts) ? facts : [];

    /// <summary>Whether anything is known of a method's parameters.</summary>
    /// <param name="method">The method's token.</param>
    public bool Know(int method) => _facts.Count > 0 && Array.Exists(Of(method), p => p is not null);

    /// <summary>The methods that no other module can name and that may be given a place.</summary>
    private HashSet<int> Candidates(ModuleImage image)
    {
        bool hasFriends = false;
        foreach (CustomAttributeHandle attribute in image.Metadata.GetAssemblyDefinition().GetCustomAttributes())
            hasFriends |= image.Names.Short(MetadataTokens.GetToken(image.Metadata.GetCustomAttribute(attribute).Constructor)).StartsWith("InternalsVisibleToAttribute", StringComparison.Ordinal);
        var signatures = new SignatureTexts(image.Metadata, image.Names, SignatureDetail.NamesOnly);
        var found = new HashSet<int>();
        foreach (PlacedIl place in image.Methods)
        {
            if (image.IlAt(place).IndexOf((byte)OpCodes.Calli.Value) < 0)
                continue; // nothing else leads to a site
            int token = MetadataTokens.GetToken(place.Method);
            MethodDefinition method = image.Metadata.GetMethodDefinition(place.Method);
            bool mayBe = !method.Attributes.HasFlag(MethodAttributes.Virtual) && IsKept(image.Metadata, method, hasFriends)
                && method.GetGenericParameters().Count == 0 && _shapes.Of(token).Arguments > 0
                && !_map.CanBeTarget(signatures.OfMethod(place.Method));
            if (mayBe)
                found.Add(token);
        }

        return found;
    }

    /// <summary>Whether only this module can name a method, and its class is one and not many.</summary>
    private static bool IsKept(MetadataReader metadata, MethodDefinition method, bool hasFriends)
    {
        bool isKept = (method.Attributes & MethodAttributes.MemberAccessMask) switch
        {
            MethodAttributes.Private or MethodAttributes.PrivateScope => true,
            MethodAttributes.Assembly or MethodAttributes.FamANDAssem => !hasFriends,
            _ => false,
        };
        TypeDefinitionHandle handle = method.GetDeclaringType();
        for (int depth = 0; !handle.IsNil; depth = MetadataNames.Deeper(depth))
        {
            TypeDefinition type = metadata.GetTypeDefinition(handle);
            if (type.GetGenericParameters().Count > 0)
                return false;
            isKept |= (type.Attributes & TypeAttributes.VisibilityMask) switch
            {
                TypeAttributes.NestedPrivate => true,
                TypeAttributes.NotPublic or TypeAttributes.NestedAssembly or TypeAttributes.NestedFamANDAssem => !hasFriends,
                _ => false,
            };
            handle = type.GetDeclaringType();
        }

        return isKept;
    }

    private void FindCallers(ModuleImage image, HashSet<int> candidates)
    {
        foreach (PlacedIl place in image.Methods)
        {
            ReadOnlySpan<byte> il = image.IlAt(place);
            for (int i = 0; i + sizeof(int) <= il.Length; i++)
            {
                if (il[i + 3] != MethodTable)
                    continue;
                int token = BinaryPrimitives.ReadInt32LittleEndian(il[i..]);
                if (!candidates.Contains(token))
                    continue;
                int caller = MetadataTokens.GetToken(place.Method);
                if (!_bodies.ContainsKey(caller))
                    _bodies[caller] = image.BodyOf(place.Method);
                if (!_callersOf.TryGetValue(token, out List<int>? callers))
                    _callersOf[token] = callers = [];
                callers.Add(caller);
            }
        }
    }

    private void Run(HashSet<int> candidates)
    {
        while (_waiting.TryDequeue(out int caller))
            Follow(_bodies[caller], candidates);
    }

    /// <summary>Enters what one method passes to others.</summary>
    private void Follow(Il.MethodBody body, HashSet<int> candidates)
    {
        try
        {
            _flow.Follow(body, Of(body.Token));
        }
        catch (PatchException)
        {
            foreach (int called in _callersOf.Where(c => c.Value.Contains(body.Token)).Select(c => c.Key))
                Enter(called, new ParameterFact?[_shapes.Of(called).Arguments]);
            return;
        }

        for (int i = 0; i < _flow.Code.Length; i++)
        {
            ref readonly Instruction instruction = ref _flow.Code[i];
            bool names = instruction.Code.OperandType is OperandType.InlineMethod or OperandType.InlineTok && candidates.Contains(instruction.Token);
            if (!names)
                continue;
            bool calls = instruction.Is(OpCodes.Call) || instruction.Is(OpCodes.Callvirt);
            if (calls && _flow.IsReached(i))
                Enter(instruction.Token, FactsOf(_flow.InputsOf(i)));
            else if (!calls)
                Enter(instruction.Token, new ParameterFact?[_shapes.Of(instruction.Token).Arguments]); // who calls its address is not known
        }
    }

    private static ParameterFact?[] FactsOf(ReadOnlySpan<FlowEntry> arguments)
    {
        var facts = new ParameterFact?[arguments.Length];
        for (int i = 0; i < facts.Length; i++)
            facts[i] = arguments[i].Value is { Kind: FlowKind.Table or FlowKind.Slot, Node: { } node } value ? new ParameterFact(value.Kind, node) : null;
        return facts;
    }

    /// <summary>Takes in what a call passes; what callees are known to get only ever becomes less.</summary>
    private void Enter(int called, ParameterFact?[] passed)
    {
        bool isFirst = !_facts.TryGetValue(called, out ParameterFact?[]? known);
        ParameterFact?[] merged = isFirst ? passed : [.. known!.Zip(passed, (a, b) => a == b ? a : null)];
        if (!isFirst && merged.SequenceEqual(known!))
            return;
        _facts[called] = merged;
        if (_bodies.ContainsKey(called))
            _waiting.Enqueue(called);
    }
}
