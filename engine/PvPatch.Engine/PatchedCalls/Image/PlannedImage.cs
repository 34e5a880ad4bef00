namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>An image of a plan.</summary>
/// <param name="Name">Simple name of its assembly.</param>
/// <param name="VersionId">Its module version id.</param>
/// <param name="File">Path of its file.</param>
/// <param name="Bytes">The file's content, patched.</param>
/// <param name="Methods">The methods that are not as in the file.</param>
/// <param name="Symbols">Its PDB.</param>
internal sealed record PlannedImage(string Name, Guid VersionId, string File, byte[] Bytes, IReadOnlyList<RewrittenMethod> Methods, ImageSymbols Symbols);
