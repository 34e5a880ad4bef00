using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Interpreter;

public sealed class InstructionTableTests
{
    [Test]
    public void Whatever_cpuid_may_advertise_to_users_is_there_with_all_its_forms() =>
        Assert.That(InstructionTable.CompleteFeatures, Is.SupersetOf(new[]
        {
            CpuidFeature.INTEL486, CpuidFeature.FPU, CpuidFeature.CPUID, CpuidFeature.TSC, CpuidFeature.MSR, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.CMOV,
            CpuidFeature.SYSCALL, CpuidFeature.FSGSBASE, CpuidFeature.SMAP, CpuidFeature.MULTIBYTENOP, CpuidFeature.PAUSE, CpuidFeature.RDTSCP, CpuidFeature.RDPID,
            CpuidFeature.MMX, CpuidFeature.FXSR, CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1, CpuidFeature.SSE4_2,
            CpuidFeature.AES, CpuidFeature.PCLMULQDQ, CpuidFeature.SHA, CpuidFeature.MOVBE, CpuidFeature.POPCNT, CpuidFeature.LZCNT, CpuidFeature.BMI1,
            CpuidFeature.BMI2, CpuidFeature.ADX, CpuidFeature.RDRAND, CpuidFeature.RDSEED, CpuidFeature.XSAVE, CpuidFeature.XSAVEOPT, CpuidFeature.XSAVEC,
            CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.F16C, CpuidFeature.CLFSH, CpuidFeature.CLFLUSHOPT, CpuidFeature.CLWB, CpuidFeature.PREFETCHW,
        }));

    [TestCase(CpuidFeature.AVX512F)]
    [TestCase(CpuidFeature.RTM)]
    [TestCase(CpuidFeature.SSE4A)]
    public void A_feature_with_a_missing_form_is_not_complete(CpuidFeature feature) =>
        Assert.That(InstructionTable.IsComplete(feature), Is.False);
}
