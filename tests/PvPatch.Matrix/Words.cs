namespace PvPatch.Matrix;

/// <summary>Ways and states as the command line and the tables write them.</summary>
internal static class Words
{
    private static readonly (Way Way, string Word)[] Ways = [(Way.Image, "image"), (Way.InPlace, "in-place"), (Way.Late, "late")];
    private static readonly (State State, string Word)[] States = [(State.Cold, "cold"), (State.Tier0, "tier-0"), (State.Tier1, "tier-1")];

    public static string Of(Way way) => Ways.Single(w => w.Way == way).Word;

    public static string Of(State state) => States.Single(s => s.State == state).Word;

    /// <summary>The ways named, with commas between.</summary>
    public static IEnumerable<Way> WaysOf(string words) => Ways.Where(w => words.Split(',').Contains(w.Word, StringComparer.Ordinal)).Select(w => w.Way);

    /// <summary>The states named, or all of them for <c>all</c>.</summary>
    public static IEnumerable<State> StatesOf(string word) => States.Where(s => word is "all" || word == s.Word).Select(s => s.State);
}
