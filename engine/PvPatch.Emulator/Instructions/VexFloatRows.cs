using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of AVX floating-point instructions.</summary>
internal static unsafe class VexFloatRows
{
    public static void Add(RowBuilder rows)
    {
        // Arithmetic
        rows.VexFloat<PackedSingle, Sum>(Code.VEX_Vaddps_xmm_xmm_xmmm128, Code.VEX_Vaddps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Sum>(Code.VEX_Vaddpd_xmm_xmm_xmmm128, Code.VEX_Vaddpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Sum>(Code.VEX_Vaddss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Sum>(Code.VEX_Vaddsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, Difference>(Code.VEX_Vsubps_xmm_xmm_xmmm128, Code.VEX_Vsubps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Difference>(Code.VEX_Vsubpd_xmm_xmm_xmmm128, Code.VEX_Vsubpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Difference>(Code.VEX_Vsubss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Difference>(Code.VEX_Vsubsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, Product>(Code.VEX_Vmulps_xmm_xmm_xmmm128, Code.VEX_Vmulps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Product>(Code.VEX_Vmulpd_xmm_xmm_xmmm128, Code.VEX_Vmulpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Product>(Code.VEX_Vmulss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Product>(Code.VEX_Vmulsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, Quotient>(Code.VEX_Vdivps_xmm_xmm_xmmm128, Code.VEX_Vdivps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Quotient>(Code.VEX_Vdivpd_xmm_xmm_xmmm128, Code.VEX_Vdivpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Quotient>(Code.VEX_Vdivss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Quotient>(Code.VEX_Vdivsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, Lesser>(Code.VEX_Vminps_xmm_xmm_xmmm128, Code.VEX_Vminps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Lesser>(Code.VEX_Vminpd_xmm_xmm_xmmm128, Code.VEX_Vminpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Lesser>(Code.VEX_Vminss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Lesser>(Code.VEX_Vminsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, Greater>(Code.VEX_Vmaxps_xmm_xmm_xmmm128, Code.VEX_Vmaxps_ymm_ymm_ymmm256);
        rows.VexFloat<PackedDouble, Greater>(Code.VEX_Vmaxpd_xmm_xmm_xmmm128, Code.VEX_Vmaxpd_ymm_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, Greater>(Code.VEX_Vmaxss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, Greater>(Code.VEX_Vmaxsd_xmm_xmm_xmmm64);
        rows.VexFloat<PackedSingle, SquareRoot>(Code.VEX_Vsqrtps_xmm_xmmm128, Code.VEX_Vsqrtps_ymm_ymmm256);
        rows.VexFloat<PackedDouble, SquareRoot>(Code.VEX_Vsqrtpd_xmm_xmmm128, Code.VEX_Vsqrtpd_ymm_ymmm256);
        rows.VexFloat<ScalarSingle, SquareRoot>(Code.VEX_Vsqrtss_xmm_xmm_xmmm32);
        rows.VexFloat<ScalarDouble, SquareRoot>(Code.VEX_Vsqrtsd_xmm_xmm_xmmm64);

        // Approximations
        rows.VexLane<Approximated<PackedSingle, Reciprocal>>(Code.VEX_Vrcpps_xmm_xmmm128, Code.VEX_Vrcpps_ymm_ymmm256);
        rows.VexLane<Approximated<ScalarSingle, Reciprocal>>(Code.VEX_Vrcpss_xmm_xmm_xmmm32);
        rows.VexLane<Approximated<PackedSingle, ReciprocalSquareRoot>>(Code.VEX_Vrsqrtps_xmm_xmmm128, Code.VEX_Vrsqrtps_ymm_ymmm256);
        rows.VexLane<Approximated<ScalarSingle, ReciprocalSquareRoot>>(Code.VEX_Vrsqrtss_xmm_xmm_xmmm32);

        // Arithmetic across elements
        rows.VexLane<OfNeighbours<PackedSingle, Sum>>(Code.VEX_Vhaddps_xmm_xmm_xmmm128, Code.VEX_Vhaddps_ymm_ymm_ymmm256);
        rows.VexLane<OfNeighbours<PackedDouble, Sum>>(Code.VEX_Vhaddpd_xmm_xmm_xmmm128, Code.VEX_Vhaddpd_ymm_ymm_ymmm256);
        rows.VexLane<OfNeighbours<PackedSingle, Difference>>(Code.VEX_Vhsubps_xmm_xmm_xmmm128, Code.VEX_Vhsubps_ymm_ymm_ymmm256);
        rows.VexLane<OfNeighbours<PackedDouble, Difference>>(Code.VEX_Vhsubpd_xmm_xmm_xmmm128, Code.VEX_Vhsubpd_ymm_ymm_ymmm256);
        rows.VexLane<Alternating<PackedSingle, Single32>>(Code.VEX_Vaddsubps_xmm_xmm_xmmm128, Code.VEX_Vaddsubps_ymm_ymm_ymmm256);
        rows.VexLane<Alternating<PackedDouble, Double64>>(Code.VEX_Vaddsubpd_xmm_xmm_xmmm128, Code.VEX_Vaddsubpd_ymm_ymm_ymmm256);
        rows.Vex(Code.VEX_Vdpps_xmm_xmm_xmmm128_imm8, &VexFloatShapes.DotRegisters<Vex128, PackedSingle, Single32>, &VexFloatShapes.DotMemory<Vex128, PackedSingle, Single32>);
        rows.Vex(Code.VEX_Vdpps_ymm_ymm_ymmm256_imm8, &VexFloatShapes.DotRegisters<Vex256, PackedSingle, Single32>, &VexFloatShapes.DotMemory<Vex256, PackedSingle, Single32>);
        rows.Vex(Code.VEX_Vdppd_xmm_xmm_xmmm128_imm8, &VexFloatShapes.DotRegisters<Vex128, PackedDouble, Double64>, &VexFloatShapes.DotMemory<Vex128, PackedDouble, Double64>);

        // Comparison
        rows.VexLane<Comparison<PackedSingle, Single32>>(Code.VEX_Vcmpps_xmm_xmm_xmmm128_imm8, Code.VEX_Vcmpps_ymm_ymm_ymmm256_imm8);
        rows.VexLane<Comparison<PackedDouble, Double64>>(Code.VEX_Vcmppd_xmm_xmm_xmmm128_imm8, Code.VEX_Vcmppd_ymm_ymm_ymmm256_imm8);
        rows.VexLane<Comparison<ScalarSingle, Single32>>(Code.VEX_Vcmpss_xmm_xmm_xmmm32_imm8);
        rows.VexLane<Comparison<ScalarDouble, Double64>>(Code.VEX_Vcmpsd_xmm_xmm_xmmm64_imm8);
        rows.VexLike(Code.Ucomiss_xmm_xmmm32, Code.VEX_Vucomiss_xmm_xmmm32);
        rows.VexLike(Code.Comiss_xmm_xmmm32, Code.VEX_Vcomiss_xmm_xmmm32);
        rows.VexLike(Code.Ucomisd_xmm_xmmm64, Code.VEX_Vucomisd_xmm_xmmm64);
        rows.VexLike(Code.Comisd_xmm_xmmm64, Code.VEX_Vcomisd_xmm_xmmm64);

        // Conversion
        rows.Vex(Code.VEX_Vcvtsi2ss_xmm_xmm_rm32, &VexFloatShapes.FromRegister<Single32, int>, &VexFloatShapes.FromMemory<Single32, int>);
        rows.Vex(Code.VEX_Vcvtsi2ss_xmm_xmm_rm64, &VexFloatShapes.FromRegister<Single32, long>, &VexFloatShapes.FromMemory<Single32, long>);
        rows.Vex(Code.VEX_Vcvtsi2sd_xmm_xmm_rm32, &VexFloatShapes.FromRegister<Double64, int>, &VexFloatShapes.FromMemory<Double64, int>);
        rows.Vex(Code.VEX_Vcvtsi2sd_xmm_xmm_rm64, &VexFloatShapes.FromRegister<Double64, long>, &VexFloatShapes.FromMemory<Double64, long>);
        rows.VexLike(Code.Cvtss2si_r32_xmmm32, Code.VEX_Vcvtss2si_r32_xmmm32);
        rows.VexLike(Code.Cvtss2si_r64_xmmm32, Code.VEX_Vcvtss2si_r64_xmmm32);
        rows.VexLike(Code.Cvttss2si_r32_xmmm32, Code.VEX_Vcvttss2si_r32_xmmm32);
        rows.VexLike(Code.Cvttss2si_r64_xmmm32, Code.VEX_Vcvttss2si_r64_xmmm32);
        rows.VexLike(Code.Cvtsd2si_r32_xmmm64, Code.VEX_Vcvtsd2si_r32_xmmm64);
        rows.VexLike(Code.Cvtsd2si_r64_xmmm64, Code.VEX_Vcvtsd2si_r64_xmmm64);
        rows.VexLike(Code.Cvttsd2si_r32_xmmm64, Code.VEX_Vcvttsd2si_r32_xmmm64);
        rows.VexLike(Code.Cvttsd2si_r64_xmmm64, Code.VEX_Vcvttsd2si_r64_xmmm64);
        rows.VexLane<ConvertedScalar<Single32, Double64>>(Code.VEX_Vcvtss2sd_xmm_xmm_xmmm32);
        rows.VexLane<ConvertedScalar<Double64, Single32>>(Code.VEX_Vcvtsd2ss_xmm_xmm_xmmm64);
        rows.VexLane<Converted<SinglesToDoubles>>(Code.VEX_Vcvtps2pd_xmm_xmmm64, Code.VEX_Vcvtps2pd_ymm_xmmm128);
        rows.VexLane<Converted<IntegersToDoubles>>(Code.VEX_Vcvtdq2pd_xmm_xmmm64, Code.VEX_Vcvtdq2pd_ymm_xmmm128);
        rows.VexLane<Converted<DoublesToSingles>>(Code.VEX_Vcvtpd2ps_xmm_xmmm128, Code.VEX_Vcvtpd2ps_xmm_ymmm256);
        rows.VexLane<Converted<IntegersToSingles>>(Code.VEX_Vcvtdq2ps_xmm_xmmm128, Code.VEX_Vcvtdq2ps_ymm_ymmm256);
        rows.VexLane<Converted<SinglesToIntegers>>(Code.VEX_Vcvtps2dq_xmm_xmmm128, Code.VEX_Vcvtps2dq_ymm_ymmm256);
        rows.VexLane<Converted<SinglesToIntegersTruncated>>(Code.VEX_Vcvttps2dq_xmm_xmmm128, Code.VEX_Vcvttps2dq_ymm_ymmm256);
        rows.VexLane<Converted<DoublesToIntegers>>(Code.VEX_Vcvtpd2dq_xmm_xmmm128, Code.VEX_Vcvtpd2dq_xmm_ymmm256);
        rows.VexLane<Converted<DoublesToIntegersTruncated>>(Code.VEX_Vcvttpd2dq_xmm_xmmm128, Code.VEX_Vcvttpd2dq_xmm_ymmm256);

        // Rounding to integral values
        rows.VexLane<Rounded<PackedSingle, Single32>>(Code.VEX_Vroundps_xmm_xmmm128_imm8, Code.VEX_Vroundps_ymm_ymmm256_imm8);
        rows.VexLane<Rounded<PackedDouble, Double64>>(Code.VEX_Vroundpd_xmm_xmmm128_imm8, Code.VEX_Vroundpd_ymm_ymmm256_imm8);
        rows.VexLane<Rounded<ScalarSingle, Single32>>(Code.VEX_Vroundss_xmm_xmm_xmmm32_imm8);
        rows.VexLane<Rounded<ScalarDouble, Double64>>(Code.VEX_Vroundsd_xmm_xmm_xmmm64_imm8);

        // MXCSR
        rows.VexLike(Code.Ldmxcsr_m32, Code.VEX_Vldmxcsr_m32);
        rows.VexLike(Code.Stmxcsr_m32, Code.VEX_Vstmxcsr_m32);
    }
}
