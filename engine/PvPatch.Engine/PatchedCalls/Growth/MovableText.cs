using System.Reflection;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Movable instructions as text for people, as <see cref="IlText"/> writes others; branches name the number of their target.</summary>
internal static class MovableText
{
    /// <summary>Writes a piece of code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="names">Names of the tokens of the module it is written to.</param>
    public static string Of(IReadOnlyList<MovableInstruction> code, MetadataNames names) => string.Join("; ", code.Select(i => Of(i, names)));

    private static string Of(MovableInstruction instruction, MetadataNames names) => instruction switch
    {
        { IsBranch: true } => $"{instruction.Code.Name} #{instruction.Operand}",
        { Text: { } text } => $"{instruction.Code.Name} \"{text}\"",
        { Member: Type type } => $"{instruction.Code.Name} {type.Name}",
        { Member: MemberInfo member } => $"{instruction.Code.Name} {member.DeclaringType?.Name}::{member.Name}",
        _ => IlText.Of(instruction.Plain, names),
    };
}
