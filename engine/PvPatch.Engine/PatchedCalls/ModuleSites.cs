using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.References;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>A method whose IL changes.</summary>
/// <param name="Body">The method as it is.</param>
/// <param name="Il">Its new IL, of the same size.</param>
/// <param name="Growth">
/// What else is to be done to it by <see cref="IlGrower"/>; <see langword="null"/> where <paramref name="Il"/> is all. Never
/// anything else under <see cref="GrowthLimit.SameSize"/>.
/// </param>
/// <param name="NamesItsSlots">Whether it reads every slot from a field that it names itself, and gets none from its callers or by a getter.</param>
internal sealed record RewrittenMethod(Il.MethodBody Body, byte[] Il, MethodGrowth? Growth, bool NamesItsSlots);

/// <summary>What is to be done in one module: finds the sites of every method, decides each, and writes the new IL.</summary>
internal sealed class ModuleSites
{
    private readonly ModuleImage _image;
    private readonly PvOpTable _table;
    private readonly Func<string, PvTarget> _targetOf;
    private readonly SlotMap _map;
    private readonly StackEffects _effects;
    private readonly SiteForms _forms;
    private readonly KnownParameters? _parameters;
    private readonly GrowthLimit _limit;
    private readonly AddedTokens? _added;
    private readonly Dictionary<PvOp, CallReplacement> _replacements = new(ReferenceEqualityComparer.Instance);
    private readonly PatchWay _way;
    private readonly List<PatchedSite> _rows = [];
    private readonly List<RewrittenMethod> _methods = [];

    /// <summary>Plans a module.</summary>
    /// <param name="image">The module.</param>
    /// <param name="table">The ops, with what is installed.</param>
    /// <param name="tree">The places of their slots.</param>
    /// <param name="way">How the new IL will get in.</param>
    /// <param name="loaded">The module as the runtime has it; <see langword="null"/> for a file.</param>
    /// <param name="limit">How far its methods may change.</param>
    /// <param name="added">What the module can be made to name, under <see cref="GrowthLimit.Named"/>.</param>
    /// <param name="targetOf">What an op of that name is to hold, if not what is installed.</param>
    public ModuleSites(
        ModuleImage image, PvOpTable table, SlotTree tree, PatchWay way, Module? loaded = null,
        GrowthLimit limit = GrowthLimit.SameSize, AddedTokens? added = null, Func<string, PvTarget>? targetOf = null)
    {
        _image = image;
        _table = table;
        _targetOf = targetOf ?? table.TargetOf;
        _way = way;
        _map = new SlotMap(image, tree);
        _effects = new StackEffects(image.Metadata);
        _limit = limit;
        _added = added;
        _forms = new SiteForms(image, loaded, limit, added);
        if (_map.IsEmpty)
            return;
        _parameters = new KnownParameters(image, _effects, _map);
        foreach (Il.MethodBody body in image.Bodies)
        {
            IReadOnlyCollection<PvOp> ops = _map.MentionedIn(body.Il);
            if (ops.Count > 0 || _parameters.Of(body.Token).Any(p => p is not null))
                Plan((MethodDefinitionHandle)MetadataTokens.EntityHandle(body.Token), body, ops);
        }
    }

    /// <summary>One row a site, in the order of methods and offsets.</summary>
    public IReadOnlyList<PatchedSite> Rows => _rows;

    /// <summary>The methods that change.</summary>
    public IReadOnlyList<RewrittenMethod> Methods => _methods;

    private void Plan(MethodDefinitionHandle handle, Il.MethodBody body, IReadOnlyCollection<PvOp> mentioned)
    {
        try
        {
            if (_image.IsShared(body))
                throw new PatchException(PatchError.BadIl, "another method has the same bytes of IL") { Method = body.Name };
            var flow = new StackFlow(body, _effects, _map, _parameters!.Of(body.Token));
            var sites = new CallSites(flow, _map, _image, _parameters);
            Plan(handle, flow, sites);
        }
        catch (Exception e) when (e is PatchException || Damage.IsShownBy(e))
        {
            _rows.Add(RowOf(body, 0, [.. mentioned]) with { Reason = e.Message });
        }
    }

    private void Plan(MethodDefinitionHandle handle, StackFlow flow, CallSites sites)
    {
        var wanted = new Dictionary<int, IReadOnlyList<SiteForm>>();
        var types = new ArgumentTypes(_image, handle, flow);
        var refusals = new Dictionary<int, string>();
        foreach (CallSite call in sites.Calls)
        {
            if (Decide(call, flow.InputsOf(call.Index)[..^1], types, handle, out string? refusal) is { Count: > 0 } forms)
                wanted[call.Index] = forms;
            else
                refusals[call.Index] = refusal!;
        }

        var rewrite = new MethodRewrite(flow, _map, wanted, MayGrow);
        Instruction[] after = IlReader.Decode(rewrite.Il);
        var found = new List<PatchedSite>();
        foreach (CallSite call in sites.Calls)
        {
            string? refusal = refusals.GetValueOrDefault(call.Index) ?? rewrite.Refusals.GetValueOrDefault(call.Index);
            IReadOnlyList<(int Start, int End)> ranges = rewrite.RangesOf(call.Index);
            found.Add(RowOf(flow.Body, flow.Code[call.Index].Offset, call.Ops) with
            {
                Replacement = refusal is null ? rewrite.TextOf(call.Index) : call.Refusal is null ? ReplacementOf(call.Ops[0]).ToString() : null,
                Before = IlText.Of(flow.Code, ranges, _image.Names),
                After = refusal is not null ? null
                    : rewrite.EditOf(call.Index) is { } edit ? MovableText.Of(edit.Code, _image.Names) : IlText.Of(after, ranges, _image.Names),
                State = refusal is null ? SiteState.Patched : SiteState.Left,
                Way = refusal is null ? WayOf(rewrite, call.Index) : null,
                Reason = refusal,
            });
        }

        foreach (OtherUse use in sites.Others)
        {
            IEnumerable<int> members = use.User is { } user ? new SortedSet<int> { use.Origin, user } : [use.Origin];
            found.Add(RowOf(flow.Body, flow.Code[use.Origin].Offset, use.Ops) with
            {
                Before = IlText.Of(flow.Code, rewrite.Ranges(members), _image.Names),
                Reason = use.Reason,
            });
        }

        _rows.AddRange(found.Count == 1 ? found : found.OrderBy(r => r.IlOffset));
        if (wanted.Count > rewrite.Refusals.Count)
            _methods.Add(new RewrittenMethod(flow.Body, rewrite.Il, rewrite.Growth, NamesItsSlots(flow)));
    }

    private bool NamesItsSlots(StackFlow flow) =>
        _parameters!.Of(flow.Body.Token).All(p => p is null)
        && !flow.Code.Any(i => i.Code.OperandType == OperandType.InlineMethod && _map.ReadBy(i) is not null);

    /// <summary>The forms that a call may take; none where it stays, with the reason.</summary>
    private IReadOnlyList<SiteForm> Decide(
        CallSite call, ReadOnlySpan<FlowEntry> arguments, ArgumentTypes types, MethodDefinitionHandle caller, out string? refusal)
    {
        refusal = call.Refusal;
        if (refusal is null && _table.IsWrittenByHand(call.Ops[0].Name))
            refusal = "the slot was written by hand";
        return refusal is null ? _forms.Of(ReplacementOf(call.Ops[0]), arguments, types, caller, out refusal) : [];
    }

    private bool MayGrow() => _limit == GrowthLimit.Anything || (_limit == GrowthLimit.Named && _added!.Open() is null);

    private PatchWay WayOf(MethodRewrite rewrite, int call) =>
        _limit == GrowthLimit.Named && rewrite.EditOf(call) is not null ? PatchWay.Metadata : _way;

    private CallReplacement ReplacementOf(PvOp op)
    {
        if (!_replacements.TryGetValue(op, out CallReplacement? replacement))
            _replacements[op] = replacement = CallReplacement.Choose(op, _targetOf(op.Name));
        return replacement;
    }

    private PatchedSite RowOf(Il.MethodBody body, int offset, IReadOnlyList<PvOp> ops) => new()
    {
        Op = ops is [var only] ? only.Name : string.Join(" or ", ops.Select(o => o.Name)),
        Class = ops.Aggregate(default(PvOpClass), (all, o) => all | o.Class),
        Module = _image.AssemblyName,
        Method = body.Name,
        MethodToken = body.Token,
        IlOffset = offset,
        Before = "",
        State = SiteState.Left,
    };
}
