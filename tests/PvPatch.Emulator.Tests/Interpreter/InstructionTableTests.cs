using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Interpreter;

public sealed class InstructionTableTests
{
    [TestCase(CpuidFeature.INTEL486)]
    [TestCase(CpuidFeature.CPUID)]
    [TestCase(CpuidFeature.TSC)]
    [TestCase(CpuidFeature.MSR)]
    [TestCase(CpuidFeature.CX8)]
    [TestCase(CpuidFeature.CMPXCHG16B)]
    [TestCase(CpuidFeature.CMOV)]
    [TestCase(CpuidFeature.SYSCALL)]
    [TestCase(CpuidFeature.FSGSBASE)]
    [TestCase(CpuidFeature.SMAP)]
    [TestCase(CpuidFeature.MULTIBYTENOP)]
    [TestCase(CpuidFeature.PAUSE)]
    [TestCase(CpuidFeature.MOVBE)]
    [TestCase(CpuidFeature.POPCNT)]
    [TestCase(CpuidFeature.LZCNT)]
    [TestCase(CpuidFeature.BMI1)]
    [TestCase(CpuidFeature.BMI2)]
    [TestCase(CpuidFeature.ADX)]
    [TestCase(CpuidFeature.MMX)]
    public void A_feature_that_cpuid_may_advertise_is_there_with_all_its_forms(CpuidFeature feature) =>
        Assert.That(InstructionTable.IsComplete(feature));

    [TestCase(CpuidFeature.AVX)]
    [TestCase(CpuidFeature.FPU)]
    [TestCase(CpuidFeature.SSE4_2)]
    public void A_feature_with_a_missing_form_is_not_complete(CpuidFeature feature) =>
        Assert.That(InstructionTable.IsComplete(feature), Is.False);
}
