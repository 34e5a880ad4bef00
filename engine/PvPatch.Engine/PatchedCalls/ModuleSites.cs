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
    private readonly StackFlow _flow;
    private readonly KnownParameters _parameters;
    private readonly CallSites _sites;
    private readonly MethodRewrite _rewrite;
    private readonly SiteForms _forms;
    private readonly IlText _text;
    private readonly GrowthLimit _limit;
    private readonly AddedTokens? _added;
    private readonly Dictionary<PvOp, CallReplacement> _replacements = new(ReferenceEqualityComparer.Instance);
    private readonly List<SiteRewrite> _calls = []; // of the method that is planned
    private readonly List<SiteRewrite> _free = [];  // for calls: as many as some method had
    private readonly Dictionary<SiteForm, string> _formTexts = new(ReferenceEqualityComparer.Instance);
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
        _limit = limit;
        _added = added;
        _map = new SlotMap(image, tree);
        _flow = new StackFlow(image, _map);
        _parameters = new KnownParameters(image, _map, _flow);
        _sites = new CallSites(_flow, _map, image, _parameters);
        _rewrite = new MethodRewrite(_flow, MayGrow);
        _text = new IlText(image.Names);
        _forms = new SiteForms(image, loaded, new ArgumentTypes(image, _flow), limit, added);
        if (_map.IsEmpty)
            return;
        foreach (PlacedIl place in image.Methods)
        {
            if (_map.IsMentionedIn(image.IlAt(place)) || _parameters.Know(MetadataTokens.GetToken(place.Method)))
                Plan(place.Method, image.BodyOf(place.Method));
        }
    }

    /// <summary>One row a site, in the order of methods and offsets.</summary>
    public IReadOnlyList<PatchedSite> Rows => _rows;

    /// <summary>The methods that change.</summary>
    public IReadOnlyList<RewrittenMethod> Methods => _methods;

    private void Plan(MethodDefinitionHandle handle, Il.MethodBody body)
    {
        int first = _rows.Count;
        try
        {
            if (_image.IsShared(body))
                throw new PatchException(PatchError.BadIl, "another method has the same bytes of IL") { Method = body.Name };
            _flow.Follow(body, _parameters.Of(body.Token));
            _sites.Collect();
            Plan(handle);
        }
        catch (Exception e) when (e is PatchException || Damage.IsShownBy(e))
        {
            _rows.RemoveRange(first, _rows.Count - first);
            _rows.Add(RowOf(body, 0, _map.MentionedIn(body.Il), before: "", e.Message));
        }
    }

    private void Plan(MethodDefinitionHandle handle)
    {
        Il.MethodBody body = _flow.Body;
        _calls.Clear();
        bool isAnyReplaced = false;
        foreach (CallSite call in _sites.Calls)
        {
            IReadOnlyList<SiteForm> forms = Decide(call, handle, out string? refusal);
            if (_calls.Count == _free.Count)
                _free.Add(new SiteRewrite());
            SiteRewrite site = _free[_calls.Count];
            site.Begin(call, forms, forms.Count > 0 ? null : refusal);
            _calls.Add(site);
        }

        _rewrite.Rewrite(_calls);
        int first = _rows.Count;
        foreach (SiteRewrite site in _calls)
        {
            _rows.Add(RowOf(site));
            isAnyReplaced |= site.Refusal is null;
        }

        foreach (OtherUse use in _sites.Others)
            _rows.Add(RowOf(body, _flow.Code[use.Origin].Offset, use.Ops, _text.Of(body.Il, _rewrite.RangesOf(use)), use.Reason));
        if (_sites.Others.Count > 0)
            SortByOffset(first);
        if (isAnyReplaced)
            _methods.Add(new RewrittenMethod(body, _rewrite.Il, _rewrite.Growth, NamesItsSlots()));
    }

    /// <summary>Puts the rows of a method into the order of their offsets; those of one offset stay as they are.</summary>
    private void SortByOffset(int first)
    {
        PatchedSite[] sorted = [.. _rows.Skip(first).OrderBy(r => r.IlOffset)];
        for (int i = 0; i < sorted.Length; i++)
            _rows[first + i] = sorted[i];
    }

    private bool NamesItsSlots()
    {
        if (_parameters.Know(_flow.Body.Token))
            return false;
        for (int i = 0; i < _flow.Code.Length; i++)
        {
            if (_flow.ReadAt(i) is not null && _flow.Code[i].Code.OperandType == OperandType.InlineMethod)
                return false;
        }

        return true;
    }

    private PatchedSite RowOf(SiteRewrite site)
    {
        CallSite call = site.Call;
        Il.MethodBody body = _flow.Body;
        IlRanges ranges = _rewrite.RangesOf(call.Index);
        string before = _text.Of(body.Il, ranges);
        int offset = _flow.Code[call.Index].Offset;
        if (site.Refusal is not null)
            return RowOf(body, offset, call.Ops, before, site.Refusal, call.Refusal is null ? ReplacementOf(call.Ops[0]).ToString() : null);
        string after = site.Edit is { } edit ? TextOf(edit, site.Form) : _text.Of(_rewrite.Il, ranges);
        PatchWay way = _limit == GrowthLimit.Named && site.Edit is not null ? PatchWay.Metadata : _way;
        return RowOf(body, offset, call.Ops, before, reason: null, site.Text, after, way);
    }

    /// <summary>The text of an edit, which is its form's where nothing else is in it.</summary>
    private string TextOf(IlEdit edit, SiteForm form)
    {
        if (!ReferenceEquals(edit.Code, form.Code))
            return MovableText.Of(edit.Code, _text);
        if (!_formTexts.TryGetValue(form, out string? text))
            _formTexts[form] = text = MovableText.Of(form.Code, _text);
        return text;
    }

    /// <summary>The forms that a call may take; none where it stays, with the reason.</summary>
    private IReadOnlyList<SiteForm> Decide(CallSite call, MethodDefinitionHandle caller, out string? refusal)
    {
        refusal = call.Refusal;
        if (refusal is null && _table.IsWrittenByHand(call.Ops[0].Name))
            refusal = "the slot was written by hand";
        return refusal is null ? _forms.Of(ReplacementOf(call.Ops[0]), _flow.InputsOf(call.Index)[..^1], caller, out refusal) : [];
    }

    private bool MayGrow() => _limit == GrowthLimit.Anything || (_limit == GrowthLimit.Named && _added!.Open() is null);

    private CallReplacement ReplacementOf(PvOp op)
    {
        if (!_replacements.TryGetValue(op, out CallReplacement? replacement))
            _replacements[op] = replacement = CallReplacement.Choose(op, _targetOf(op.Name));
        return replacement;
    }

    /// <summary>A row of the report; of a site that is patched, if it says by which way.</summary>
    private PatchedSite RowOf(
        Il.MethodBody body, int offset, IReadOnlyList<PvOp> ops, string before, string? reason, string? replacement = null, string? after = null, PatchWay? way = null)
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
            Replacement = replacement,
            Way = way,
            Before = before,
            After = after,
            State = way is null ? SiteState.Left : SiteState.Patched,
            Reason = reason,
        };
    }
}
