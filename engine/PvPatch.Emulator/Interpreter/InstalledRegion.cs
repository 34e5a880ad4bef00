using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Interpreter;

/// <summary>A translated region that can be entered from the pages it has code of; it lives as long as all of them stay as they are.</summary>
/// <param name="code">The region.</param>
/// <param name="pages">Its pages, the one it was made for first.</param>
internal sealed class InstalledRegion(TranslatedRegion code, IReadOnlyList<CodePage> pages) : IDisposable
{
    /// <summary>The region.</summary>
    public TranslatedRegion Code => code;

    /// <summary>Its pages, the one it was made for first.</summary>
    public IReadOnlyList<CodePage> Pages => pages;

    /// <summary>Frees the region, which nothing enters any more. No code runs in it.</summary>
    public void Dispose()
    {
        foreach (CodePage page in pages)
            page.Regions.Remove(this);
        code.Dispose();
    }
}
