using System.Reflection;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>A method whose IL changes.</summary>
/// <param name="Body">The method as it is.</param>
/// <param name="Il">Its new IL, of the same size.</param>
internal sealed record RewrittenMethod(Il.MethodBody Body, byte[] Il);

/// <summary>What is to be done in one module: finds the sites of every method, decides each, and writes the new IL.</summary>
internal sealed class ModuleSites
{
    private readonly ModuleImage _image;
    private readonly PvOpTable _table;
    private readonly SlotMap _map;
    private readonly StackEffects _effects;
    private readonly TargetTokens _tokens;
    private readonly PatchWay _way;
    private readonly List<PatchedSite> _rows = [];
    private readonly List<RewrittenMethod> _methods = [];

    /// <summary>Plans a module.</summary>
    /// <param name="image">The module.</param>
    /// <param name="table">The ops, with what is installed.</param>
    /// <param name="tree">The places of their slots.</param>
    /// <param name="way">How the new IL will get in.</param>
    /// <param name="loaded">The module as the runtime has it; <see langword="null"/> for a file.</param>
    public ModuleSites(ModuleImage image, PvOpTable table, SlotTree tree, PatchWay way, Module? loaded = null)
    {
        _image = image;
        _table = table;
        _way = way;
        _map = new SlotMap(image, tree);
        _effects = new StackEffects(image.Metadata);
        _tokens = new TargetTokens(image, loaded);
        if (_map.IsEmpty)
            return;
        foreach (MethodDefinitionHandle handle in image.MethodsWithIl)
        {
            Il.MethodBody body = image.BodyOf(handle);
            if (_map.MentionedIn(body.Il) is { Count: > 0 } ops)
                Plan(handle, body, ops);
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
            var flow = new StackFlow(body, _effects, _map);
            var sites = new CallSites(flow, _map, _image);
            Plan(handle, flow, sites);
        }
        catch (Exception e) when (e is PatchException || Damage.IsShownBy(e))
        {
            _rows.Add(RowOf(body, 0, [.. mentioned]) with { Reason = e.Message });
        }
    }

    private void Plan(MethodDefinitionHandle handle, StackFlow flow, CallSites sites)
    {
        var wanted = new Dictionary<int, (CallReplacement Replacement, int Token)>();
        var refusals = new Dictionary<int, string>();
        foreach (CallSite call in sites.Calls)
        {
            if (Decide(call, handle, out string? refusal) is { } decided)
                wanted[call.Index] = decided;
            else
                refusals[call.Index] = refusal!;
        }

        var rewrite = new MethodRewrite(flow, _map, wanted);
        Instruction[] after = IlReader.Decode(rewrite.Il);
        var found = new List<PatchedSite>();
        foreach (CallSite call in sites.Calls)
        {
            string? refusal = refusals.GetValueOrDefault(call.Index) ?? rewrite.Refusals.GetValueOrDefault(call.Index);
            IReadOnlyList<(int Start, int End)> ranges = rewrite.RangesOf(call.Index);
            found.Add(RowOf(flow.Body, flow.Code[call.Index].Offset, call.Ops) with
            {
                Replacement = call.Refusal is null ? CallReplacement.Choose(call.Ops[0], _table.TargetOf(call.Ops[0].Name)).ToString() : null,
                Before = IlText.Of(flow.Code, ranges, _image.Names),
                After = refusal is null ? IlText.Of(after, ranges, _image.Names) : null,
                State = refusal is null ? SiteState.Patched : SiteState.Left,
                Way = refusal is null ? _way : null,
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

        _rows.AddRange(found.OrderBy(r => r.IlOffset));
        if (wanted.Count > rewrite.Refusals.Count)
            _methods.Add(new RewrittenMethod(flow.Body, rewrite.Il));
    }

    /// <summary>What a call becomes; <see langword="null"/> where it stays, with the reason.</summary>
    private (CallReplacement Replacement, int Token)? Decide(CallSite call, MethodDefinitionHandle caller, out string? refusal)
    {
        refusal = call.Refusal;
        if (refusal is not null)
            return null;
        PvOp op = call.Ops[0];
        if (_table.IsWrittenByHand(op.Name))
        {
            refusal = "the slot was written by hand";
            return null;
        }

        CallReplacement replacement = CallReplacement.Choose(op, _table.TargetOf(op.Name));
        switch (replacement)
        {
            case CallReplacement.Indirect indirect:
                refusal = indirect.Reason;
                return null;
            case CallReplacement.DirectCall direct:
                return _tokens.Find(direct.Target, caller, out refusal) is { } token ? (direct, token) : null;
            default:
                return (replacement, 0);
        }
    }

    private PatchedSite RowOf(Il.MethodBody body, int offset, IReadOnlyList<PvOp> ops) => new()
    {
        Op = string.Join(" or ", ops.Select(o => o.Name)),
        Class = ops.Aggregate(default(PvOpClass), (all, o) => all | o.Class),
        Module = _image.AssemblyName,
        Method = body.Name,
        MethodToken = body.Token,
        IlOffset = offset,
        Before = "",
        State = SiteState.Left,
    };
}
