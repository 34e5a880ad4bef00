namespace PvPatch.Engine.Tests;

/// <summary>The repository that the tests were built in: some of them read its documents, or run its projects.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution, above the folder that the tests run in.</summary>
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    /// <summary>A file of the repository.</summary>
    /// <param name="path">Its path from <see cref="Root"/>, with slashes.</param>
    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path)).ReplaceLineEndings("\n");

    private static string Above(string folder)
    {
        for (DirectoryInfo? place = new(folder); place is not null; place = place.Parent)
        {
            if (File.Exists(Path.Combine(place.FullName, "PvPatch.sln")))
                return place.FullName;
        }

        throw new DirectoryNotFoundException($"There is no PvPatch.sln above {folder}.");
    }
}
