using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of FMA and F16C.</summary>
internal static unsafe class FusedRows
{
    public static void Add(RowBuilder rows)
    {
        rows.VexFused<PackedSingle, FusedAdd, Fused132>(Code.VEX_Vfmadd132ps_xmm_xmm_xmmm128, Code.VEX_Vfmadd132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedAdd, Fused213>(Code.VEX_Vfmadd213ps_xmm_xmm_xmmm128, Code.VEX_Vfmadd213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedAdd, Fused231>(Code.VEX_Vfmadd231ps_xmm_xmm_xmmm128, Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAdd, Fused132>(Code.VEX_Vfmadd132pd_xmm_xmm_xmmm128, Code.VEX_Vfmadd132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAdd, Fused213>(Code.VEX_Vfmadd213pd_xmm_xmm_xmmm128, Code.VEX_Vfmadd213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAdd, Fused231>(Code.VEX_Vfmadd231pd_xmm_xmm_xmmm128, Code.VEX_Vfmadd231pd_ymm_ymm_ymmm256);
        rows.VexFused<ScalarSingle, FusedAdd, Fused132>(Code.VEX_Vfmadd132ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, FusedAdd, Fused213>(Code.VEX_Vfmadd213ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, FusedAdd, Fused231>(Code.VEX_Vfmadd231ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarDouble, FusedAdd, Fused132>(Code.VEX_Vfmadd132sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, FusedAdd, Fused213>(Code.VEX_Vfmadd213sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, FusedAdd, Fused231>(Code.VEX_Vfmadd231sd_xmm_xmm_xmmm64);
        rows.VexFused<PackedSingle, FusedSubtract, Fused132>(Code.VEX_Vfmsub132ps_xmm_xmm_xmmm128, Code.VEX_Vfmsub132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedSubtract, Fused213>(Code.VEX_Vfmsub213ps_xmm_xmm_xmmm128, Code.VEX_Vfmsub213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedSubtract, Fused231>(Code.VEX_Vfmsub231ps_xmm_xmm_xmmm128, Code.VEX_Vfmsub231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtract, Fused132>(Code.VEX_Vfmsub132pd_xmm_xmm_xmmm128, Code.VEX_Vfmsub132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtract, Fused213>(Code.VEX_Vfmsub213pd_xmm_xmm_xmmm128, Code.VEX_Vfmsub213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtract, Fused231>(Code.VEX_Vfmsub231pd_xmm_xmm_xmmm128, Code.VEX_Vfmsub231pd_ymm_ymm_ymmm256);
        rows.VexFused<ScalarSingle, FusedSubtract, Fused132>(Code.VEX_Vfmsub132ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, FusedSubtract, Fused213>(Code.VEX_Vfmsub213ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, FusedSubtract, Fused231>(Code.VEX_Vfmsub231ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarDouble, FusedSubtract, Fused132>(Code.VEX_Vfmsub132sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, FusedSubtract, Fused213>(Code.VEX_Vfmsub213sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, FusedSubtract, Fused231>(Code.VEX_Vfmsub231sd_xmm_xmm_xmmm64);
        rows.VexFused<PackedSingle, NegatedFusedAdd, Fused132>(Code.VEX_Vfnmadd132ps_xmm_xmm_xmmm128, Code.VEX_Vfnmadd132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, NegatedFusedAdd, Fused213>(Code.VEX_Vfnmadd213ps_xmm_xmm_xmmm128, Code.VEX_Vfnmadd213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, NegatedFusedAdd, Fused231>(Code.VEX_Vfnmadd231ps_xmm_xmm_xmmm128, Code.VEX_Vfnmadd231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedAdd, Fused132>(Code.VEX_Vfnmadd132pd_xmm_xmm_xmmm128, Code.VEX_Vfnmadd132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedAdd, Fused213>(Code.VEX_Vfnmadd213pd_xmm_xmm_xmmm128, Code.VEX_Vfnmadd213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedAdd, Fused231>(Code.VEX_Vfnmadd231pd_xmm_xmm_xmmm128, Code.VEX_Vfnmadd231pd_ymm_ymm_ymmm256);
        rows.VexFused<ScalarSingle, NegatedFusedAdd, Fused132>(Code.VEX_Vfnmadd132ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, NegatedFusedAdd, Fused213>(Code.VEX_Vfnmadd213ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, NegatedFusedAdd, Fused231>(Code.VEX_Vfnmadd231ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarDouble, NegatedFusedAdd, Fused132>(Code.VEX_Vfnmadd132sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, NegatedFusedAdd, Fused213>(Code.VEX_Vfnmadd213sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, NegatedFusedAdd, Fused231>(Code.VEX_Vfnmadd231sd_xmm_xmm_xmmm64);
        rows.VexFused<PackedSingle, NegatedFusedSubtract, Fused132>(Code.VEX_Vfnmsub132ps_xmm_xmm_xmmm128, Code.VEX_Vfnmsub132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, NegatedFusedSubtract, Fused213>(Code.VEX_Vfnmsub213ps_xmm_xmm_xmmm128, Code.VEX_Vfnmsub213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, NegatedFusedSubtract, Fused231>(Code.VEX_Vfnmsub231ps_xmm_xmm_xmmm128, Code.VEX_Vfnmsub231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedSubtract, Fused132>(Code.VEX_Vfnmsub132pd_xmm_xmm_xmmm128, Code.VEX_Vfnmsub132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedSubtract, Fused213>(Code.VEX_Vfnmsub213pd_xmm_xmm_xmmm128, Code.VEX_Vfnmsub213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, NegatedFusedSubtract, Fused231>(Code.VEX_Vfnmsub231pd_xmm_xmm_xmmm128, Code.VEX_Vfnmsub231pd_ymm_ymm_ymmm256);
        rows.VexFused<ScalarSingle, NegatedFusedSubtract, Fused132>(Code.VEX_Vfnmsub132ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, NegatedFusedSubtract, Fused213>(Code.VEX_Vfnmsub213ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarSingle, NegatedFusedSubtract, Fused231>(Code.VEX_Vfnmsub231ss_xmm_xmm_xmmm32);
        rows.VexFused<ScalarDouble, NegatedFusedSubtract, Fused132>(Code.VEX_Vfnmsub132sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, NegatedFusedSubtract, Fused213>(Code.VEX_Vfnmsub213sd_xmm_xmm_xmmm64);
        rows.VexFused<ScalarDouble, NegatedFusedSubtract, Fused231>(Code.VEX_Vfnmsub231sd_xmm_xmm_xmmm64);
        rows.VexFused<PackedSingle, FusedAddSubtract, Fused132>(Code.VEX_Vfmaddsub132ps_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedAddSubtract, Fused213>(Code.VEX_Vfmaddsub213ps_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedAddSubtract, Fused231>(Code.VEX_Vfmaddsub231ps_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAddSubtract, Fused132>(Code.VEX_Vfmaddsub132pd_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAddSubtract, Fused213>(Code.VEX_Vfmaddsub213pd_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedAddSubtract, Fused231>(Code.VEX_Vfmaddsub231pd_xmm_xmm_xmmm128, Code.VEX_Vfmaddsub231pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedSubtractAdd, Fused132>(Code.VEX_Vfmsubadd132ps_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd132ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedSubtractAdd, Fused213>(Code.VEX_Vfmsubadd213ps_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd213ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedSingle, FusedSubtractAdd, Fused231>(Code.VEX_Vfmsubadd231ps_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd231ps_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtractAdd, Fused132>(Code.VEX_Vfmsubadd132pd_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd132pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtractAdd, Fused213>(Code.VEX_Vfmsubadd213pd_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd213pd_ymm_ymm_ymmm256);
        rows.VexFused<PackedDouble, FusedSubtractAdd, Fused231>(Code.VEX_Vfmsubadd231pd_xmm_xmm_xmmm128, Code.VEX_Vfmsubadd231pd_ymm_ymm_ymmm256);

        // Half precision
        rows.VexLane<HalvesToSingles>(Code.VEX_Vcvtph2ps_xmm_xmmm64, Code.VEX_Vcvtph2ps_ymm_xmmm128);
        rows.Vex(Code.VEX_Vcvtps2ph_xmmm64_xmm_imm8, &HalfShapes.ToRegister<Vex128>, &HalfShapes.ToMemory<Vex128>);
        rows.Vex(Code.VEX_Vcvtps2ph_xmmm128_ymm_imm8, &HalfShapes.ToRegister<Vex256>, &HalfShapes.ToMemory<Vex256>);
    }
}
