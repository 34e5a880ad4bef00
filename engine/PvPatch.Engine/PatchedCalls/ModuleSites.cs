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
    private readonly IlText _text;
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
        _text = new IlText(image.Names);
        _limit = limit;
        _added = added;
        _forms = new SiteForms(image, loaded, limit, added);
        if (_map.IsEmpty)
            return;
        _parameters = new KnownParameters(image, _effects, _map);
        foreach (Il.MethodBody body in image.Bodies)
        {
            if (_map.IsMentionedIn(body.Il) || Array.Exists(_parameters.Of(body.Token), p => p is not null))
                Plan((MethodDefinitionHandle)MetadataTokens.EntityHandle(body.Token), body);
        }
    }

    /// <summary>One row a site, in the order of methods and offsets.</summary>
    public IReadOnlyList<PatchedSite> Rows => _rows;

    /// <summary>The methods that change.</summary>
    public IReadOnlyList<RewrittenMethod> Methods => _methods;

    private void Plan(MethodDefinitionHandle handle, Il.MethodBody body)
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
            _rows.Add(RowOf(body, 0, _map.MentionedIn(body.Il), before: "", e.Message));
        }
    }

    private void Plan(MethodDefinitionHandle handle, StackFlow flow, CallSites sites)
    {
        var types = new ArgumentTypes(_image, handle, flow);
        var calls = new List<SiteRewrite>(sites.Calls.Count);
        foreach (CallSite call in sites.Calls)
        {
            IReadOnlyList<SiteForm> forms = Decide(call, flow.InputsOf(call.Index)[..^1], types, handle, out string? refusal);
            calls.Add(new SiteRewrite(call, forms, forms.Count > 0 ? null : refusal));
        }

        var rewrite = new MethodRewrite(flow, _map, calls, MayGrow);
        Instruction[] after = IlReader.Decode(rewrite.Il);
        var found = new List<PatchedSite>();
        foreach (SiteRewrite site in calls)
            found.Add(RowOf(flow, rewrite, site, after));
        foreach (OtherUse use in sites.Others)
        {
            var members = new List<int> { use.Origin };
            if (use.User is { } user && user != use.Origin)
                members.Add(user);
            found.Add(RowOf(flow.Body, flow.Code[use.Origin].Offset, use.Ops, _text.Of(flow.Code, rewrite.Ranges(members)), use.Reason));
        }

        _rows.AddRange(sites.Others.Count == 0 ? found : found.OrderBy(r => r.IlOffset));
        if (calls.Exists(c => c.Refusal is null))
            _methods.Add(new RewrittenMethod(flow.Body, rewrite.Il, rewrite.Growth, NamesItsSlots(flow)));
    }

    private bool NamesItsSlots(StackFlow flow) =>
        Array.TrueForAll(_parameters!.Of(flow.Body.Token), p => p is null)
        && !Array.Exists(flow.Code, i => i.Code.OperandType == OperandType.InlineMethod && _map.ReadBy(i) is not null);

    private PatchedSite RowOf(StackFlow flow, MethodRewrite rewrite, SiteRewrite site, Instruction[] after)
    {
        CallSite call = site.Call;
        List<IlRange> ranges = rewrite.RangesOf(call.Index);
        PatchedSite row = RowOf(flow.Body, flow.Code[call.Index].Offset, call.Ops, _text.Of(flow.Code, ranges), site.Refusal);
        if (site.Refusal is not null)
            return call.Refusal is null ? row with { Replacement = ReplacementOf(call.Ops[0]).ToString() } : row;
        return row with
        {
            Replacement = site.Text,
            After = site.Edit is { } edit ? MovableText.Of(edit.Code, _text) : _text.Of(after, ranges),
            State = SiteState.Patched,
            Way = _limit == GrowthLimit.Named && site.Edit is not null ? PatchWay.Metadata : _way,
        };
    }

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

    private CallReplacement ReplacementOf(PvOp op)
    {
        if (!_replacements.TryGetValue(op, out CallReplacement? replacement))
            _replacements[op] = replacement = CallReplacement.Choose(op, _targetOf(op.Name));
        return replacement;
    }

    private PatchedSite RowOf(Il.MethodBody body, int offset, IReadOnlyList<PvOp> ops, string before, string? reason)
    {
        string? name = null;
        PvOpClass classes = default;
        for (int i = 0; i < ops.Count; i++)
        {
            PvOp op = ops[i];
            name = name is null ? op.Name : $"{name} or {op.Name}";
            classes |= op.Class;
        }

        return new PatchedSite
        {
            Op = name ?? "",
            Class = classes,
            Module = _image.AssemblyName,
            Method = body.Name,
            MethodToken = body.Token,
            IlOffset = offset,
            Before = before,
            State = SiteState.Left,
            Reason = reason,
        };
    }
}
