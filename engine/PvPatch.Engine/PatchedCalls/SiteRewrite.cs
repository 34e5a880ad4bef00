using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>What becomes of one call while its method is rewritten: the form it takes, or why it stays. It is used for one call after another.</summary>
internal sealed class SiteRewrite
{
    private IReadOnlyList<SiteForm> _forms = [];
    private List<string>? _misfits; // of the forms before the one that it takes

    /// <summary>The call.</summary>
    public CallSite Call { get; private set; }

    /// <summary>Why it stays; <see langword="null"/> where it is replaced.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Begins with a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="forms">The forms that it may take, the best first.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public void Begin(CallSite call, IReadOnlyList<SiteForm> forms, string? refusal)
    {
        Call = call;
        Refusal = refusal;
        Edit = null;
        _forms = forms;
        _misfits = null;
    }

    /// <summary>Whether it is to grow beyond its bytes.</summary>
    public bool Grows { get; set; }

    /// <summary>Its new code, where it grows.</summary>
    public IlEdit? Edit { get; set; }

    /// <summary>The form that it takes, of one that is replaced.</summary>
    public SiteForm Form => _forms[_misfits?.Count ?? 0];

    /// <summary>The form, and why not a better one.</summary>
    public string Text => _misfits is null ? Form.Text : $"{Form.Text}, as {string.Join("; ", _misfits)}";

    /// <summary>Goes on to the next form; without one, it stays.</summary>
    /// <param name="misfit">Why not this one.</param>
    public void TakeNext(string misfit)
    {
        if ((_misfits?.Count ?? 0) + 1 == _forms.Count)
            Refuse(misfit);
        else
            (_misfits ??= []).Add(misfit);
    }

    /// <summary>It stays.</summary>
    public void Refuse(string reason) => Refusal = reason;
}
