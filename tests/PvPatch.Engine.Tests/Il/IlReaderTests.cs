using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls;

namespace PvPatch.Engine.Tests.Il;

internal sealed class IlReaderTests
{
    [TestCase("FE", "The IL cannot be read at 0: the IL ends within an opcode.", TestName = "A_cut_opcode")]
    [TestCase("00 24", "The IL cannot be read at 1: 0x24 is no opcode.", TestName = "An_opcode_that_is_not")]
    [TestCase("FE 08", "The IL cannot be read at 0: 0xFE08 is no opcode.", TestName = "A_long_opcode_that_is_not")]
    [TestCase("F8", "The IL cannot be read at 0: 0xF8 is no opcode.", TestName = "A_reserved_opcode")]
    [TestCase("28 01 00 00", "The IL cannot be read at 0: the IL ends within the operand of call.", TestName = "A_cut_token")]
    [TestCase("45 FF FF FF 7F 00", "The IL cannot be read at 0: the IL ends within the operand of switch.", TestName = "A_switch_longer_than_the_method")]
    [TestCase("2B 05 2A", "The IL cannot be read at 0: br.s goes to 7, where no instruction starts.", TestName = "A_branch_out_of_the_method")]
    [TestCase("2B FF 2A", "The IL cannot be read at 0: br.s goes to 1, where no instruction starts.", TestName = "A_branch_into_an_operand")]
    [TestCase("16 45 01 00 00 00 80 00 00 00 2A", "The IL cannot be read at 1: switch goes to 138, where no instruction starts.", TestName = "A_switch_out_of_the_method")]
    public void Is_refused(string hex, string message)
    {
        byte[] il = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var error = Assert.Throws<PatchException>(() => IlReader.Decode(il));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error!.Message, Is.EqualTo(message));
            Assert.That(error.Error, Is.EqualTo(PatchError.BadIl));
        }
    }

    [Test]
    public void Operands_are_read()
    {
        Instruction[] code = IlReader.Decode(Convert.FromHexString("1FFE11C8FE0C0201204523010021FFFFFFFFFFFFFFFF45010000000100000000DE012A2A"));
        Assert.That(
            code.Select(i => $"{i.Offset}+{i.Size} {i.Code.Name} {i.Operand} {string.Join(',', i.Targets)}".TrimEnd()),
            Is.EqualTo(new[]
            {
                "0+2 ldc.i4.s -2", "2+2 ldloc.s 200", "4+4 ldloc 258", "8+5 ldc.i4 74565", "13+9 ldc.i8 -1",
                "22+9 switch 0 32", "31+1 nop 0", "32+2 leave.s 35", "34+1 ret 0", "35+1 ret 0",
            }));
    }

    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Every_method_of_a_real_assembly_decodes_to_its_length(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        using var image = ModuleImage.Open(bytes, file);
        int methods = 0;
        foreach (MethodDefinitionHandle handle in image.MethodsWithIl)
        {
            MethodBody body = image.BodyOf(handle);
            Assert.That(IlReader.Decode(body.Il).Sum(i => i.Size), Is.EqualTo(body.Il.Length), body.Name);
            Assert.That(bytes.AsSpan(body.Offset, body.Il.Length).SequenceEqual(body.Il), body.Name);
            methods++;
        }

        Assert.That(methods, Is.GreaterThan(20));
    }

    [Test]
    public void Every_opcode_has_a_stack_effect_of_its_name()
    {
        using ModuleImage image = ModuleImage.Open(File.ReadAllBytes(RealAssemblies.Files[0]), RealAssemblies.Files[0]);
        var effects = new StackEffects(image.Shapes);
        foreach (OpCode code in typeof(OpCodes).GetFields().Select(f => (OpCode)f.GetValue(null)!).Where(c => c.OpCodeType != OpCodeType.Nternal))
        {
            if (code.StackBehaviourPop == StackBehaviour.Varpop || code.StackBehaviourPush == StackBehaviour.Varpush)
                continue;
            (int taken, int put) = effects.Of(new Instruction(0, code.Size, code, 0), returnsValue: false);
            Assert.That((taken, put), Is.EqualTo((Count(code.StackBehaviourPop), Count(code.StackBehaviourPush))), code.Name);
        }

        static int Count(StackBehaviour behaviour) =>
            behaviour is StackBehaviour.Pop0 or StackBehaviour.Push0 ? 0 : behaviour.ToString().Count(c => c == '_') + 1;
    }
}
