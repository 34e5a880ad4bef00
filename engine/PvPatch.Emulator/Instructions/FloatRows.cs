using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of SSE floating-point instructions.</summary>
internal static unsafe class FloatRows
{
    public static void Add(RowBuilder rows)
    {
        // Arithmetic
        rows.Float<PackedSingle, Sum>(Code.Addps_xmm_xmmm128);
        rows.Float<PackedDouble, Sum>(Code.Addpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Sum>(Code.Addss_xmm_xmmm32);
        rows.Float<ScalarDouble, Sum>(Code.Addsd_xmm_xmmm64);
        rows.Float<PackedSingle, Difference>(Code.Subps_xmm_xmmm128);
        rows.Float<PackedDouble, Difference>(Code.Subpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Difference>(Code.Subss_xmm_xmmm32);
        rows.Float<ScalarDouble, Difference>(Code.Subsd_xmm_xmmm64);
        rows.Float<PackedSingle, Product>(Code.Mulps_xmm_xmmm128);
        rows.Float<PackedDouble, Product>(Code.Mulpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Product>(Code.Mulss_xmm_xmmm32);
        rows.Float<ScalarDouble, Product>(Code.Mulsd_xmm_xmmm64);
        rows.Float<PackedSingle, Quotient>(Code.Divps_xmm_xmmm128);
        rows.Float<PackedDouble, Quotient>(Code.Divpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Quotient>(Code.Divss_xmm_xmmm32);
        rows.Float<ScalarDouble, Quotient>(Code.Divsd_xmm_xmmm64);
        rows.Float<PackedSingle, Lesser>(Code.Minps_xmm_xmmm128);
        rows.Float<PackedDouble, Lesser>(Code.Minpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Lesser>(Code.Minss_xmm_xmmm32);
        rows.Float<ScalarDouble, Lesser>(Code.Minsd_xmm_xmmm64);
        rows.Float<PackedSingle, Greater>(Code.Maxps_xmm_xmmm128);
        rows.Float<PackedDouble, Greater>(Code.Maxpd_xmm_xmmm128);
        rows.Float<ScalarSingle, Greater>(Code.Maxss_xmm_xmmm32);
        rows.Float<ScalarDouble, Greater>(Code.Maxsd_xmm_xmmm64);
        rows.Float<PackedSingle, SquareRoot>(Code.Sqrtps_xmm_xmmm128);
        rows.Float<PackedDouble, SquareRoot>(Code.Sqrtpd_xmm_xmmm128);
        rows.Float<ScalarSingle, SquareRoot>(Code.Sqrtss_xmm_xmmm32);
        rows.Float<ScalarDouble, SquareRoot>(Code.Sqrtsd_xmm_xmmm64);

        // Approximations
        rows.Lane<PackedSingle, Approximated<PackedSingle, Reciprocal>>(Code.Rcpps_xmm_xmmm128);
        rows.Lane<ScalarSingle, Approximated<ScalarSingle, Reciprocal>>(Code.Rcpss_xmm_xmmm32);
        rows.Lane<PackedSingle, Approximated<PackedSingle, ReciprocalSquareRoot>>(Code.Rsqrtps_xmm_xmmm128);
        rows.Lane<ScalarSingle, Approximated<ScalarSingle, ReciprocalSquareRoot>>(Code.Rsqrtss_xmm_xmmm32);

        // Dot products (SSE4.1)
        rows.Set(Code.Dpps_xmm_xmmm128_imm8, &DotProducts.OfRegisters<PackedSingle, Single32>, &DotProducts.WithMemory<PackedSingle, Single32>);
        rows.Set(Code.Dppd_xmm_xmmm128_imm8, &DotProducts.OfRegisters<PackedDouble, Double64>, &DotProducts.WithMemory<PackedDouble, Double64>);

        // Arithmetic between neighbours (SSE3)
        rows.Lane<PackedSingle, OfNeighbours<PackedSingle, Sum>>(Code.Haddps_xmm_xmmm128);
        rows.Lane<PackedDouble, OfNeighbours<PackedDouble, Sum>>(Code.Haddpd_xmm_xmmm128);
        rows.Lane<PackedSingle, OfNeighbours<PackedSingle, Difference>>(Code.Hsubps_xmm_xmmm128);
        rows.Lane<PackedDouble, OfNeighbours<PackedDouble, Difference>>(Code.Hsubpd_xmm_xmmm128);
        rows.Lane<PackedSingle, Alternating<PackedSingle, Single32>>(Code.Addsubps_xmm_xmmm128);
        rows.Lane<PackedDouble, Alternating<PackedDouble, Double64>>(Code.Addsubpd_xmm_xmmm128);

        // Comparison
        rows.SetAligned(Code.Cmpps_xmm_xmmm128_imm8, &FloatShapes.CompareRegisters<PackedSingle, Single32>, &FloatShapes.CompareMemory<PackedSingle, Single32>);
        rows.SetAligned(Code.Cmppd_xmm_xmmm128_imm8, &FloatShapes.CompareRegisters<PackedDouble, Double64>, &FloatShapes.CompareMemory<PackedDouble, Double64>);
        rows.Set(Code.Cmpss_xmm_xmmm32_imm8, &FloatShapes.CompareRegisters<ScalarSingle, Single32>, &FloatShapes.CompareMemory<ScalarSingle, Single32>);
        rows.Set(Code.Cmpsd_xmm_xmmm64_imm8, &FloatShapes.CompareRegisters<ScalarDouble, Double64>, &FloatShapes.CompareMemory<ScalarDouble, Double64>);
        rows.Set(Code.Ucomiss_xmm_xmmm32, &FloatShapes.OrderRegisters<ScalarSingle, Single32, Unaligned>, &FloatShapes.OrderMemory<ScalarSingle, Single32, Unaligned>);
        rows.Set(Code.Comiss_xmm_xmmm32, &FloatShapes.OrderRegisters<ScalarSingle, Single32, Aligned>, &FloatShapes.OrderMemory<ScalarSingle, Single32, Aligned>);
        rows.Set(Code.Ucomisd_xmm_xmmm64, &FloatShapes.OrderRegisters<ScalarDouble, Double64, Unaligned>, &FloatShapes.OrderMemory<ScalarDouble, Double64, Unaligned>);
        rows.Set(Code.Comisd_xmm_xmmm64, &FloatShapes.OrderRegisters<ScalarDouble, Double64, Aligned>, &FloatShapes.OrderMemory<ScalarDouble, Double64, Aligned>);

        // Conversion to and from general registers
        rows.Set(Code.Cvtsi2ss_xmm_rm32, &FloatConversionShapes.FromRegister<ScalarSingle, Single32, int>, &FloatConversionShapes.FromMemory<ScalarSingle, Single32, int>);
        rows.Set(Code.Cvtss2si_r32_xmmm32, &FloatConversionShapes.RegisterToGeneral<ScalarSingle, Single32, uint, Unaligned>, &FloatConversionShapes.MemoryToGeneral<ScalarSingle, Single32, uint, Unaligned>);
        rows.Set(Code.Cvttss2si_r32_xmmm32, &FloatConversionShapes.RegisterToGeneral<ScalarSingle, Single32, uint, Aligned>, &FloatConversionShapes.MemoryToGeneral<ScalarSingle, Single32, uint, Aligned>);
        rows.Set(Code.Cvtsi2ss_xmm_rm64, &FloatConversionShapes.FromRegister<ScalarSingle, Single32, long>, &FloatConversionShapes.FromMemory<ScalarSingle, Single32, long>);
        rows.Set(Code.Cvtss2si_r64_xmmm32, &FloatConversionShapes.RegisterToGeneral<ScalarSingle, Single32, ulong, Unaligned>, &FloatConversionShapes.MemoryToGeneral<ScalarSingle, Single32, ulong, Unaligned>);
        rows.Set(Code.Cvttss2si_r64_xmmm32, &FloatConversionShapes.RegisterToGeneral<ScalarSingle, Single32, ulong, Aligned>, &FloatConversionShapes.MemoryToGeneral<ScalarSingle, Single32, ulong, Aligned>);
        rows.Set(Code.Cvtsi2sd_xmm_rm32, &FloatConversionShapes.FromRegister<ScalarDouble, Double64, int>, &FloatConversionShapes.FromMemory<ScalarDouble, Double64, int>);
        rows.Set(Code.Cvtsd2si_r32_xmmm64, &FloatConversionShapes.RegisterToGeneral<ScalarDouble, Double64, uint, Unaligned>, &FloatConversionShapes.MemoryToGeneral<ScalarDouble, Double64, uint, Unaligned>);
        rows.Set(Code.Cvttsd2si_r32_xmmm64, &FloatConversionShapes.RegisterToGeneral<ScalarDouble, Double64, uint, Aligned>, &FloatConversionShapes.MemoryToGeneral<ScalarDouble, Double64, uint, Aligned>);
        rows.Set(Code.Cvtsi2sd_xmm_rm64, &FloatConversionShapes.FromRegister<ScalarDouble, Double64, long>, &FloatConversionShapes.FromMemory<ScalarDouble, Double64, long>);
        rows.Set(Code.Cvtsd2si_r64_xmmm64, &FloatConversionShapes.RegisterToGeneral<ScalarDouble, Double64, ulong, Unaligned>, &FloatConversionShapes.MemoryToGeneral<ScalarDouble, Double64, ulong, Unaligned>);
        rows.Set(Code.Cvttsd2si_r64_xmmm64, &FloatConversionShapes.RegisterToGeneral<ScalarDouble, Double64, ulong, Aligned>, &FloatConversionShapes.MemoryToGeneral<ScalarDouble, Double64, ulong, Aligned>);

        // Conversion of elements
        rows.Set(Code.Cvtss2sd_xmm_xmmm32, &FloatConversionShapes.ScalarRegisters<ScalarSingle, Single32, Double64>, &FloatConversionShapes.ScalarMemory<ScalarSingle, Single32, Double64>);
        rows.Set(Code.Cvtsd2ss_xmm_xmmm64, &FloatConversionShapes.ScalarRegisters<ScalarDouble, Double64, Single32>, &FloatConversionShapes.ScalarMemory<ScalarDouble, Double64, Single32>);
        rows.Set(Code.Cvtps2pd_xmm_xmmm64, &FloatConversionShapes.PackedRegisters<SinglesToDoubles>, &FloatConversionShapes.PackedHalfMemory<SinglesToDoubles>);
        rows.Set(Code.Cvtdq2pd_xmm_xmmm64, &FloatConversionShapes.PackedRegisters<IntegersToDoubles>, &FloatConversionShapes.PackedHalfMemory<IntegersToDoubles>);
        rows.Set(Code.Cvtpd2ps_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<DoublesToSingles>, &FloatConversionShapes.PackedMemory<DoublesToSingles>);
        rows.Set(Code.Cvtdq2ps_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<IntegersToSingles>, &FloatConversionShapes.PackedMemory<IntegersToSingles>);
        rows.Set(Code.Cvtps2dq_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<SinglesToIntegers>, &FloatConversionShapes.PackedMemory<SinglesToIntegers>);
        rows.Set(Code.Cvttps2dq_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<SinglesToIntegersTruncated>, &FloatConversionShapes.PackedMemory<SinglesToIntegersTruncated>);
        rows.Set(Code.Cvtpd2dq_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<DoublesToIntegers>, &FloatConversionShapes.PackedMemory<DoublesToIntegers>);
        rows.Set(Code.Cvttpd2dq_xmm_xmmm128, &FloatConversionShapes.PackedRegisters<DoublesToIntegersTruncated>, &FloatConversionShapes.PackedMemory<DoublesToIntegersTruncated>);

        // Rounding to integral values
        rows.Lane<PackedSingle, Rounded<PackedSingle, Single32>>(Code.Roundps_xmm_xmmm128_imm8);
        rows.Lane<PackedDouble, Rounded<PackedDouble, Double64>>(Code.Roundpd_xmm_xmmm128_imm8);
        rows.Lane<ScalarSingle, Rounded<ScalarSingle, Single32>>(Code.Roundss_xmm_xmmm32_imm8);
        rows.Lane<ScalarDouble, Rounded<ScalarDouble, Double64>>(Code.Roundsd_xmm_xmmm64_imm8);

        // MXCSR
        rows.Set(Code.Ldmxcsr_m32, null, &MxcsrMoves.Load);
        rows.Set(Code.Stmxcsr_m32, null, &MxcsrMoves.Store);
    }
}
