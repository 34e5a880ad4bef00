using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.References;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>The forms in which a replacement can be written in one module, the best first.</summary>
internal sealed class SiteForms
{
    private static readonly MethodInfo FailFast = ((Action<string>)Environment.FailFast).Method;

    private readonly ModuleImage _image;
    private readonly Visibility _visibility;
    private readonly TargetTokens _tokens;
    private readonly GrowthLimit _limit;
    private readonly AddedTokens? _added;
    private readonly Dictionary<MethodInfo, InlineTarget> _bodies = [];
    private readonly Dictionary<MethodInfo, SiteForm> _inLocals = [];
    private readonly ArgumentTypes _types;
    private readonly Dictionary<int, SiteForm[]> _calls = []; // by the target's token
    private readonly Dictionary<MethodInfo, SiteForm[]> _callsByName = []; // of targets that have none

    /// <summary>Prepares the forms of a module.</summary>
    /// <param name="image">The module.</param>
    /// <param name="loaded">The module as the runtime has it; <see langword="null"/> for a file.</param>
    /// <param name="types">The types of what calls take.</param>
    /// <param name="limit">How far its methods may change.</param>
    /// <param name="added">What the module can be made to name, under <see cref="GrowthLimit.Named"/>.</param>
    public SiteForms(ModuleImage image, Module? loaded, ArgumentTypes types, GrowthLimit limit, AddedTokens? added)
    {
        _types = types;
        _added = added;
        _image = image;
        _visibility = new Visibility(image);
        _tokens = new TargetTokens(image, _visibility, loaded);
        _limit = limit;
    }

    /// <summary>The forms for one call.</summary>
    /// <param name="replacement">What it becomes.</param>
    /// <param name="arguments">What it takes.</param>
    /// <param name="caller">The method it stands in.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public IReadOnlyList<SiteForm> Of(
        CallReplacement replacement, ReadOnlySpan<FlowEntry> arguments, MethodDefinitionHandle caller, out string? refusal)
    {
        refusal = null;
        string text = replacement.ToString();
        switch (replacement)
        {
            case CallReplacement.Indirect indirect:
                refusal = indirect.Reason;
                return [];
            case CallReplacement.Argument { Type: var type }:
                return [new SiteForm(text, 1, Conversions.To(type) is { } convert ? [new(convert)] : [], [], 1)];
            case CallReplacement.Number number:
                return [Pushing(text, Constants.Push(number.Value, number.Type))];
            case CallReplacement.Real real:
                return [Pushing(text, Constants.Push(real.Value, real.Type))];
            case CallReplacement.DirectCall direct:
                return CallOf(direct.Target, text, arguments.Length, caller, out refusal);
            case CallReplacement.Stop stop:
                return StopOf(stop, arguments.Length, caller, out refusal) is { } end ? [end] : [];
            case CallReplacement.Inline inline:
                return InlineOf(inline.Target, arguments.ToArray(), caller, out refusal);
            default:
                return [new SiteForm(text, 0, [], [], 0)];
        }
    }

    /// <summary>The form that pushes a constant.</summary>
    public static SiteForm Pushing(string text, byte[] code) =>
        new(text, 0, [.. IlReader.Decode(code).Select(i => new MovableInstruction(i.Code, i.Operand))], [], 1);

    private List<SiteForm> InlineOf(
        MethodInfo target, FlowEntry[] arguments, MethodDefinitionHandle caller, out string? refusal)
    {
        var forms = new List<SiteForm>();
        if (!_bodies.TryGetValue(target, out InlineTarget? known))
            _bodies[target] = known = new InlineTarget(InlineBody.Of(target, out string? why), why);
        string? notInline = known.Refusal;
        if (known.Body is { } body && CodeOf(body, caller, out notInline) is { } code)
        {
            var inline = new InlineForms(body, code);
            if (inline.OnStack(i => _types.IsExact(arguments[i], body.Parameters[i])) is { } onStack)
                forms.Add(onStack);
            if (!_inLocals.TryGetValue(target, out SiteForm? inLocals))
                _inLocals[target] = inLocals = inline.InLocals();
            forms.Add(inLocals);
        }

        string text = $"call {target.DeclaringType?.Name}.{target.Name}{(notInline is null ? "" : $", not inline: {notInline}")}";
        forms.AddRange(CallOf(target, text, arguments.Length, caller, out refusal));
        return forms;
    }

    /// <summary>A target's code as this module would write it. What the module may not name as it is, it names with leave.</summary>
    private IReadOnlyList<MovableInstruction>? CodeOf(InlineBody body, MethodDefinitionHandle caller, out string? refusal)
    {
        MemberInfo? hidden = _limit == GrowthLimit.Anything ? null : body.Members.FirstOrDefault(m => !_visibility.IsVisible(m, caller));
        bool isOwn = _tokens.HasTokensOf(body.Method.Module) && (hidden is null || _added is null);
        IReadOnlyList<MovableInstruction>? code = isOwn ? body.Code : body.CodeElsewhere;
        refusal = code is null ? "it calls through a pointer" : null;
        if (code is not null && hidden is not null && _added is null)
            refusal = $"{hidden.DeclaringType?.Name}{(hidden.DeclaringType is null ? "" : ".")}{hidden.Name} is not visible at the site";
        if (code is not null && _added is not null)
            refusal = (isOwn ? [] : body.Members).Concat(body.Parameters).Concat(body.Locals).Select(_added.RefusalOf).FirstOrDefault(r => r is not null);
        return refusal is null ? code : null;
    }

    /// <summary>The call of a target; none where the module cannot name it.</summary>
    private SiteForm[] CallOf(MethodInfo target, string text, int arguments, MethodDefinitionHandle caller, out string? refusal)
    {
        int maxStack = Math.Max(arguments, 1);
        if (_tokens.Find(target, caller, out refusal) is { } token)
        {
            if (!_calls.TryGetValue(token, out SiteForm[]? call) || !string.Equals(call[0].Text, text, StringComparison.Ordinal))
                _calls[token] = call = [new SiteForm(text, arguments, [new(OpCodes.Call, token)], [], maxStack)];
            return call;
        }

        if (_limit == GrowthLimit.SameSize || (_limit == GrowthLimit.Named && _tokens.IsOfOtherBuild(target)))
            return [];
        if (_callsByName.TryGetValue(target, out SiteForm[]? named) && string.Equals(named[0].Text, text, StringComparison.Ordinal))
        {
            refusal = null;
            return named;
        }

        if (_added?.RefusalOf(target) is { } why)
        {
            refusal = $"{refusal}: {why}";
            return [];
        }

        refusal = null;
        return _callsByName[target] = [new SiteForm(text, arguments, [new(OpCodes.Call) { Member = target }], [], maxStack)];
    }

    /// <summary>
    /// <see cref="Environment.FailFast(string)"/> never returns; what follows it throws, so that nothing has to stand in for
    /// the op's value. What is on the stack goes with it.
    /// </summary>
    private SiteForm? StopOf(CallReplacement.Stop stop, int arguments, MethodDefinitionHandle caller, out string? refusal)
    {
        refusal = "missing: the call stays, and its slot stops with the op's name";
        if (_added is null)
            return null;
        refusal = _added.RefusalOf(FailFast);
        MovableInstruction[] code =
        [
            new(OpCodes.Ldstr) { Text = stop.MessageTo(_image.Names.Of(caller)) }, new(OpCodes.Call) { Member = FailFast },
            new(OpCodes.Ldnull), new(OpCodes.Throw),
        ];
        return refusal is null ? new SiteForm(stop.ToString(), arguments, code, [], arguments + 1) : null;
    }

    /// <summary>A target's body, or why it has none that can be inlined.</summary>
    private sealed record InlineTarget(InlineBody? Body, string? Refusal);
}
