using System.Reflection;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Movable instructions as text for people, as <see cref="IlText"/> writes others; branches name the number of their target.</summary>
internal static class MovableText
{
    /// <summary>Writes a piece of code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="text">Writes the instructions whose tokens are those of the module.</param>
    public static string Of(IReadOnlyList<MovableInstruction> code, IlText text) => string.Join("; ", code.Select(i => Of(i, text)));

    private static string Of(MovableInstruction instruction, IlText text) => instruction switch
    {
        { IsBranch: true } => $"{instruction.Code.Name} #{instruction.Operand}",
        { Text: { } literal } => $"{instruction.Code.Name} \"{literal}\"",
        { Member: Type type } => $"{instruction.Code.Name} {type.Name}",
        { Member: MemberInfo member } => $"{instruction.Code.Name} {member.DeclaringType?.Name}::{member.Name}",
        _ => text.Of(instruction.Plain),
    };
}
