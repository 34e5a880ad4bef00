namespace PvPatch.Perf.Measuring;

/// <summary>How long the lab takes.</summary>
/// <param name="Name">Its word.</param>
/// <param name="Launches">How many processes measure everything, one after the other.</param>
/// <param name="FamilyMilliseconds">How long the rounds of a family take in each process, about.</param>
/// <param name="SampleMicroseconds">How long a sample takes, at least.</param>
/// <param name="MostRounds">The most rounds in each process.</param>
/// <param name="UsualFamilySeconds">How long a family takes in each process, with all that goes before.</param>
public sealed record LabMode(string Name, int Launches, double FamilyMilliseconds, double SampleMicroseconds, int MostRounds, double UsualFamilySeconds)
{
    /// <summary>Below this number of samples an interval of 95 % would need one that was not taken.</summary>
    public const int FewestRounds = 6;

    /// <summary>Under three minutes for everything.</summary>
    public static LabMode Quick { get; } = new("quick", Launches: 4, FamilyMilliseconds: 250, SampleMicroseconds: 250, MostRounds: 41, UsualFamilySeconds: 0.8);

    /// <summary>What figures in a document should be made with.</summary>
    public static LabMode Full { get; } = new("full", Launches: 9, FamilyMilliseconds: 1500, SampleMicroseconds: 500, MostRounds: 101, UsualFamilySeconds: 2.5);

    /// <summary>The mode of a name.</summary>
    /// <param name="name"><c>quick</c> or <c>full</c>.</param>
    public static LabMode Of(string name) => name == Full.Name ? Full : Quick;
}
