using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Movable instructions as text for people, as <see cref="IlText"/> writes others; branches name the number of their target.</summary>
internal static class MovableText
{
    /// <summary>Writes a piece of code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="text">Writes the instructions whose tokens are those of the module; <see langword="null"/> where there are none.</param>
    public static string Of(IReadOnlyList<MovableInstruction> code, IlText? text = null) => string.Join("; ", code.Select(i => Of(i, text)));

    private static string Of(MovableInstruction instruction, IlText? text) => instruction switch
    {
        { IsBranch: true } => $"{instruction.Code.Name} #{instruction.Operand}",
        { Text: { } literal } => $"{instruction.Code.Name} \"{literal}\"",
        { Member: Type type } => $"{instruction.Code.Name} {type.Name}",
        { Member: MemberInfo member } => $"{instruction.Code.Name} {member.DeclaringType?.Name}::{member.Name}",
        _ when text is not null => text.Of(instruction.Plain),
        { Code.OperandType: OperandType.InlineNone } => instruction.Code.Name!,
        _ => $"{instruction.Code.Name} {instruction.Operand}",
    };
}
