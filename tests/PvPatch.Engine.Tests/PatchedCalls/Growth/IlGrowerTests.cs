using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.Tests.PatchedCalls.Growth;

/// <summary>Edits of any size at instruction boundaries.</summary>
internal sealed class IlGrowerTests
{
    [TestCase("16 2A", 0, 1, 0, "2A", TestName = "Code_goes")]
    [TestCase("2B 00 2A", 2, 3, 2, "2B 00 00 00", TestName = "A_branch_to_an_edit_leads_to_its_start")]
    [TestCase("2B 01 00 2A", 2, 3, 3, "2B 03 00 00 00 2A", TestName = "A_branch_over_an_edit_gets_longer")]
    [TestCase("2B 01 00 2A", 2, 3, 127, "2B 7F [127] 2A", TestName = "A_short_branch_reaches_127")]
    [TestCase("2B 01 00 2A", 2, 3, 128, "38 80 00 00 00 [128] 2A", TestName = "A_branch_that_no_longer_reaches_gets_its_long_form")]
    [TestCase("00 16 2D FC 2A", 1, 2, 124, "00 [124] 2D 81 2A", TestName = "A_short_branch_back_reaches_127")]
    [TestCase("00 16 2D FC 2A", 1, 2, 126, "00 [126] 3A 7C FF FF FF 2A", TestName = "A_branch_back_gets_its_long_form")]
    [TestCase("DE 01 00 2A", 2, 3, 200, "DD C8 00 00 00 [200] 2A", TestName = "A_leave_gets_its_long_form")]
    [TestCase("16 45 02 00 00 00 01 00 00 00 00 00 00 00 00 2A", 14, 15, 2, "16 45 02 00 00 00 02 00 00 00 00 00 00 00 00 00 2A", TestName = "A_switch_table_follows")]
    public void Moves_what_is_behind(string hex, int start, int end, int nops, string grown)
    {
        GrownMethod method = IlGrower.Grow(Body(hex), Bytes(hex), new MethodGrowth([Nops(start, end, nops)], [], 2));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Convert.ToHexString(method.Il), Is.EqualTo(Convert.ToHexString(Bytes(grown))));
            Assert.That(method.MaxStack, Is.EqualTo(10));
        }
    }

    [TestCase(1, 3, "another instruction's middle")]
    [TestCase(2, 4, "a branch's target inside")]
    [TestCase(4, 5, "the method's end")]
    [TestCase(0, 0, "nothing")]
    public void An_edit_that_covers_no_whole_instructions_is_refused(int start, int end, string what) =>
        Assert.That(() => IlGrower.Grow(Body("2B 01 00 2A"), Bytes("2B 01 00 2A"), new MethodGrowth([Nops(start, end, 1)], [], 0)), Throws.ArgumentException, what);

    [Test]
    public void Branches_of_new_code_lead_within_it_or_behind_it()
    {
        MovableInstruction[] code = [new(OpCodes.Ldarg_0), new(OpCodes.Brtrue_S, 3), new(OpCodes.Br_S, 4), new(OpCodes.Nop)];
        GrownMethod method = IlGrower.Grow(Body("00 00 2A"), Bytes("00 00 2A"), new MethodGrowth([new IlEdit(1, 2, code)], [], 0));
        Assert.That(Convert.ToHexString(method.Il), Is.EqualTo("00022D022B01002A"));
    }

    [Test]
    public void Tokens_to_find_are_told_with_their_place()
    {
        MovableInstruction[] code = [new(OpCodes.Nop), new(OpCodes.Call) { Member = typeof(Math).GetMethod("Sqrt") }, new(OpCodes.Ldstr) { Text = "a" }];
        GrownMethod method = IlGrower.Grow(Body("00 2A"), Bytes("00 2A"), new MethodGrowth([new IlEdit(0, 1, code)], [], 0));
        Assert.That(method.Fixups.Select(f => $"{f.Offset} {f.Instruction.Member?.Name}{f.Instruction.Text}"), Is.EqualTo(new[] { "2 Sqrt", "7 a" }));
    }

    /// <summary>Random edits of every method of real assemblies: the same instructions lead to the same instructions.</summary>
    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Every_method_keeps_its_shape(string file)
    {
        var random = new Random(5);
        var grower = new IlGrower();
        using var image = ModuleImage.Open(File.ReadAllBytes(file), file);
        foreach (Engine.Il.MethodBody body in image.MethodsWithIl.Select(image.BodyOf))
        {
            GrownMethod same = IlGrower.Grow(body, body.Il, new MethodGrowth([], [], 0));
            Assert.That(same.Il.AsSpan().SequenceEqual(body.Il), body.Name);

            Instruction[] old = IlReader.Decode(body.Il);
            IlEdit[] edits = [.. old.Where(i => i.Is(OpCodes.Ldarg_0) && random.Next(2) == 0).Select(i => Inserted(i, random.Next(60)))];
            GrownMethod grown = grower.GrowNext(body, body.Il, new MethodGrowth(edits, [], 0));
            OffsetMoves moves = grower.MovesOfLast();
            Assert.That(Shape(IlReader.Decode(grown.Il), o => o), Is.EqualTo(Shape(old, moves.At)), body.Name);
            Assert.That(
                grown.Regions.Select(r => (r.TryOffset, r.TryOffset + r.TryLength, r.HandlerOffset, r.HandlerOffset + r.HandlerLength)),
                Is.EqualTo(body.Regions.Select(r => (At(r.TryOffset), At(r.TryOffset + r.TryLength), At(r.HandlerOffset), At(r.HandlerOffset + r.HandlerLength)))), body.Name);

            int At(int offset) => moves.At(offset);
        }
    }

    /// <summary>The argument is pushed as before, with NOPs behind.</summary>
    private static IlEdit Inserted(Instruction instruction, int nops) =>
        new(instruction.Offset, instruction.End, [new(OpCodes.Ldarg_0), .. Enumerable.Repeat(new MovableInstruction(OpCodes.Nop), nops)]);

    /// <summary>Instructions but NOPs, with their targets, whatever the form of a branch.</summary>
    private static IEnumerable<string> Shape(IEnumerable<Instruction> code, Func<int, int> moved) =>
        code.Where(i => !i.Is(OpCodes.Nop)).Select(i =>
            $"{moved(i.Offset)} {i.Code.Name!.Replace(".s", "", StringComparison.Ordinal)} {(IlReader.IsBranch(i) ? moved((int)i.Operand) : i.Operand)} {string.Join(',', i.Targets.Select(moved))}");

    private static IlEdit Nops(int start, int end, int count) => new(start, end, [.. Enumerable.Repeat(new MovableInstruction(OpCodes.Nop), count)]);

    private static byte[] Bytes(string hex)
    {
        int repeat = hex.IndexOf('[', StringComparison.Ordinal);
        if (repeat >= 0)
        {
            int end = hex.IndexOf(']', StringComparison.Ordinal);
            hex = hex[..repeat] + string.Concat(Enumerable.Repeat("00", int.Parse(hex[(repeat + 1)..end], null))) + hex[(end + 1)..];
        }

        return Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
    }

    private static Engine.Il.MethodBody Body(string hex) => new()
    {
        Token = 0x06000001,
        Name = "M",
        Offset = 0,
        Il = Bytes(hex),
        MaxStack = 8,
        LocalCount = 0,
        LocalSignature = default,
        InitLocals = true,
        Regions = ImmutableArray<ExceptionRegion>.Empty,
        ReturnsValue = false,
    };
}
