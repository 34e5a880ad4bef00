using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PvPatch.Architecture.Tests;

/// <summary>The kernel reaches privileged state through pv_ops only: its IL neither writes the CPU's registers nor knows the sensitive instructions.</summary>
public sealed class PrivilegedStateTests
{
    private const string CpuState = "PvPatch.Emulator.State.CpuState";
    private const string SensitiveOps = "PvPatch.Emulator.State.SensitiveOps";

    /// <summary>What a processor's own entry code sets before there is an op to call: GS, the stack, and CS and SS with the far return after LGDT.</summary>
    private static readonly string[] SetAtEntry =
    [
        "CpuSetup.InitPerCpu: Gs", "CpuSetup.InitPerCpu: set_Rsp", "CpuSetup.Init: Cs", "CpuSetup.Init: Ss",
    ];

    [Test]
    public void The_kernel_writes_no_register_but_at_its_entry()
    {
        using ModuleDefinition kernel = Kernel();
        string[] writes = [.. Instructions(kernel)
            .Where(at => IsWrite(at.Instruction))
            .Select(at => $"{at.Method.DeclaringType.Name}.{at.Method.Name}: {((MemberReference)at.Instruction.Operand).Name}")
            .Distinct(StringComparer.Ordinal)];
        Assert.That(writes, Is.EquivalentTo(SetAtEntry));
    }

    [Test]
    public void The_kernel_knows_no_sensitive_instruction()
    {
        using ModuleDefinition kernel = Kernel();
        string[] uses = [.. Instructions(kernel)
            .Where(at => at.Instruction.Operand is MemberReference { DeclaringType.FullName: SensitiveOps })
            .Select(at => at.Method.FullName)];
        Assert.That(uses, Is.Empty);
    }

    private static bool IsWrite(Instruction instruction) => instruction.Operand switch
    {
        FieldReference { DeclaringType.FullName: CpuState } => instruction.OpCode.Code is Code.Stfld or Code.Ldflda && !IsReadThrough(instruction),
        MethodReference { DeclaringType.FullName: CpuState } method => method.Name.StartsWith("set_", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>An address that is only read through: <c>cpu->Gs.Base</c>.</summary>
    private static bool IsReadThrough(Instruction address) => address.OpCode.Code == Code.Ldflda && address.Next.OpCode.Code is Code.Ldfld;

    private static IEnumerable<(MethodDefinition Method, Instruction Instruction)> Instructions(ModuleDefinition module) =>
        from type in module.GetTypes()
        from method in type.Methods
        where method.HasBody
        from instruction in method.Body.Instructions
        select (method, instruction);

    private static ModuleDefinition Kernel() =>
        ModuleDefinition.ReadModule(Path.Combine(TestContext.CurrentContext.TestDirectory, "PvPatch.GuestOs.dll"));
}
