using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of the x87.</summary>
internal static unsafe class X87Rows
{
    public static void Add(RowBuilder rows)
    {
        AddArithmetic(rows);
        AddMoves(rows);
        AddComparisons(rows);
        AddControl(rows);
    }

    private static void AddArithmetic(RowBuilder rows)
    {
        rows.X87<ExtendedAdd>(Code.Fadd_m32fp, Code.Fadd_m64fp, Code.Fiadd_m16int, Code.Fiadd_m32int, Code.Fadd_st0_sti, Code.Fadd_sti_st0, Code.Faddp_sti_st0);
        rows.X87<ExtendedMultiply>(Code.Fmul_m32fp, Code.Fmul_m64fp, Code.Fimul_m16int, Code.Fimul_m32int, Code.Fmul_st0_sti, Code.Fmul_sti_st0, Code.Fmulp_sti_st0);
        rows.X87<ExtendedSubtract>(Code.Fsub_m32fp, Code.Fsub_m64fp, Code.Fisub_m16int, Code.Fisub_m32int, Code.Fsub_st0_sti, Code.Fsub_sti_st0, Code.Fsubp_sti_st0);
        rows.X87<ExtendedSubtractReversed>(Code.Fsubr_m32fp, Code.Fsubr_m64fp, Code.Fisubr_m16int, Code.Fisubr_m32int, Code.Fsubr_st0_sti, Code.Fsubr_sti_st0, Code.Fsubrp_sti_st0);
        rows.X87<ExtendedDivide>(Code.Fdiv_m32fp, Code.Fdiv_m64fp, Code.Fidiv_m16int, Code.Fidiv_m32int, Code.Fdiv_st0_sti, Code.Fdiv_sti_st0, Code.Fdivp_sti_st0);
        rows.X87<ExtendedDivideReversed>(Code.Fdivr_m32fp, Code.Fdivr_m64fp, Code.Fidivr_m16int, Code.Fidivr_m32int, Code.Fdivr_st0_sti, Code.Fdivr_sti_st0, Code.Fdivrp_sti_st0);
        rows.Set(Code.Fchs, &X87Arithmetic.Top<ExtendedNegate>);
        rows.Set(Code.Fabs, &X87Arithmetic.Top<ExtendedAbsolute>);
        rows.Set(Code.Fsqrt, &X87Arithmetic.Top<ExtendedSquareRoot>);
        rows.Set(Code.Frndint, &X87Arithmetic.Top<ExtendedRoundToInteger>);
        rows.Set(Code.Fscale, &X87Arithmetic.TopTwo<ExtendedScale>);
        rows.Set(Code.Fxtract, &X87Arithmetic.Extract);
        rows.Set(Code.Fprem, &X87Arithmetic.Remainder);
        rows.Set(Code.Fprem1, &X87Arithmetic.IeeeRemainder);

        // Transcendental
        rows.Set(Code.F2xm1, &X87Arithmetic.Top<ExtendedPowerLessOne>);
        rows.Set(Code.Fyl2x, &X87Arithmetic.TopTwoAndPop<ExtendedLogarithm>);
        rows.Set(Code.Fyl2xp1, &X87Arithmetic.TopTwoAndPop<ExtendedLogarithmOfOnePlus>);
        rows.Set(Code.Fpatan, &X87Arithmetic.TopTwoAndPop<ExtendedArcTangent>);
        rows.Set(Code.Fptan, &X87Arithmetic.Tangent);
        rows.Set(Code.Fsin, &X87Arithmetic.Angle<ExtendedSine>);
        rows.Set(Code.Fcos, &X87Arithmetic.Angle<ExtendedCosine>);
        rows.Set(Code.Fsincos, &X87Arithmetic.SineAndCosine);
    }

    private static void AddMoves(RowBuilder rows)
    {
        rows.Set(Code.Fld_m32fp, null, &X87Moves.LoadConverted<FromSingle>);
        rows.Set(Code.Fld_m64fp, null, &X87Moves.LoadConverted<FromDouble>);
        rows.Set(Code.Fld_m80fp, null, &X87Moves.Load<FromExtended>);
        rows.Set(Code.Fild_m16int, null, &X87Moves.Load<FromInt16>);
        rows.Set(Code.Fild_m32int, null, &X87Moves.Load<FromInt32>);
        rows.Set(Code.Fild_m64int, null, &X87Moves.Load<FromInt64>);
        rows.Set(Code.Fbld_m80bcd, null, &X87Moves.Load<FromDecimal>);
        rows.Set(Code.Fld_sti, &X87Moves.LoadRegister);

        rows.Set(Code.Fst_m32fp, null, &X87Moves.Store<ToSingle>);
        rows.Set(Code.Fst_m64fp, null, &X87Moves.Store<ToDouble>);
        rows.Set(Code.Fist_m16int, null, &X87Moves.Store<ToInt16>);
        rows.Set(Code.Fist_m32int, null, &X87Moves.Store<ToInt32>);
        rows.Set(Code.Fstp_m32fp, null, &X87Moves.StoreAndPop<ToSingle>);
        rows.Set(Code.Fstp_m64fp, null, &X87Moves.StoreAndPop<ToDouble>);
        rows.Set(Code.Fstp_m80fp, null, &X87Moves.StoreAndPop<ToExtended>);
        rows.Set(Code.Fistp_m16int, null, &X87Moves.StoreAndPop<ToInt16>);
        rows.Set(Code.Fistp_m32int, null, &X87Moves.StoreAndPop<ToInt32>);
        rows.Set(Code.Fistp_m64int, null, &X87Moves.StoreAndPop<ToInt64>);
        rows.Set(Code.Fisttp_m16int, null, &X87Moves.StoreAndPop<Truncated<ToInt16>>);
        rows.Set(Code.Fisttp_m32int, null, &X87Moves.StoreAndPop<Truncated<ToInt32>>);
        rows.Set(Code.Fisttp_m64int, null, &X87Moves.StoreAndPop<Truncated<ToInt64>>);
        rows.Set(Code.Fbstp_m80bcd, null, &X87Moves.StoreAndPop<ToDecimal>);
        rows.Set(Code.Fst_sti, &X87Moves.StoreRegister);
        rows.Each(&X87Moves.StoreRegisterAndPop, Code.Fstp_sti, Code.Fstp_sti_DFD0, Code.Fstp_sti_DFD8);
        rows.Set(Code.Fstpnce_sti, &X87Moves.StoreRegisterAndPopQuietly);

        rows.Set(Code.Fldz, &X87Moves.LoadConstant<ConstantZero>);
        rows.Set(Code.Fld1, &X87Moves.LoadConstant<ConstantOne>);
        rows.Set(Code.Fldpi, &X87Moves.LoadConstant<ConstantPi>);
        rows.Set(Code.Fldl2t, &X87Moves.LoadConstant<Log2Of10>);
        rows.Set(Code.Fldl2e, &X87Moves.LoadConstant<Log2OfE>);
        rows.Set(Code.Fldlg2, &X87Moves.LoadConstant<Log10Of2>);
        rows.Set(Code.Fldln2, &X87Moves.LoadConstant<LnOf2>);

        rows.Each(&X87Moves.Exchange, Code.Fxch_st0_sti, Code.Fxch_st0_sti_DDC8, Code.Fxch_st0_sti_DFC8);
        rows.Set(Code.Fcmovb_st0_sti, &X87Moves.Conditional<IfB>);
        rows.Set(Code.Fcmove_st0_sti, &X87Moves.Conditional<IfE>);
        rows.Set(Code.Fcmovbe_st0_sti, &X87Moves.Conditional<IfBe>);
        rows.Set(Code.Fcmovu_st0_sti, &X87Moves.Conditional<IfP>);
        rows.Set(Code.Fcmovnb_st0_sti, &X87Moves.Conditional<IfAe>);
        rows.Set(Code.Fcmovne_st0_sti, &X87Moves.Conditional<IfNe>);
        rows.Set(Code.Fcmovnbe_st0_sti, &X87Moves.Conditional<IfA>);
        rows.Set(Code.Fcmovnu_st0_sti, &X87Moves.Conditional<IfNp>);

        rows.Set(Code.Ffree_sti, &X87Moves.Free);
        rows.Set(Code.Ffreep_sti, &X87Moves.FreeAndPop);
        rows.Set(Code.Fincstp, &X87Moves.IncrementTop);
        rows.Set(Code.Fdecstp, &X87Moves.DecrementTop);
    }

    private static void AddComparisons(RowBuilder rows)
    {
        rows.Set(Code.Fcom_m32fp, null, &X87Comparisons.Memory<FromSingle>);
        rows.Set(Code.Fcom_m64fp, null, &X87Comparisons.Memory<FromDouble>);
        rows.Set(Code.Ficom_m16int, null, &X87Comparisons.Memory<FromInt16>);
        rows.Set(Code.Ficom_m32int, null, &X87Comparisons.Memory<FromInt32>);
        rows.Set(Code.Fcomp_m32fp, null, &X87Comparisons.MemoryAndPop<FromSingle>);
        rows.Set(Code.Fcomp_m64fp, null, &X87Comparisons.MemoryAndPop<FromDouble>);
        rows.Set(Code.Ficomp_m16int, null, &X87Comparisons.MemoryAndPop<FromInt16>);
        rows.Set(Code.Ficomp_m32int, null, &X87Comparisons.MemoryAndPop<FromInt32>);
        rows.Each(&X87Comparisons.Registers, Code.Fcom_st0_sti, Code.Fcom_st0_sti_DCD0);
        rows.Each(&X87Comparisons.RegistersAndPop, Code.Fcomp_st0_sti, Code.Fcomp_st0_sti_DCD8, Code.Fcomp_st0_sti_DED0);
        rows.Set(Code.Fcompp, &X87Comparisons.TopTwoAndPop);
        rows.Set(Code.Fucom_st0_sti, &X87Comparisons.Unordered);
        rows.Set(Code.Fucomp_st0_sti, &X87Comparisons.UnorderedAndPop);
        rows.Set(Code.Fucompp, &X87Comparisons.UnorderedTopTwoAndPop);
        rows.Set(Code.Fcomi_st0_sti, &X87Comparisons.ToFlags);
        rows.Set(Code.Fcomip_st0_sti, &X87Comparisons.ToFlagsAndPop);
        rows.Set(Code.Fucomi_st0_sti, &X87Comparisons.UnorderedToFlags);
        rows.Set(Code.Fucomip_st0_sti, &X87Comparisons.UnorderedToFlagsAndPop);
        rows.Set(Code.Ftst, &X87Comparisons.WithZero);
        rows.Set(Code.Fxam, &X87Comparisons.Examine);
    }

    private static void AddControl(RowBuilder rows)
    {
        rows.Set(Code.Fnop, &X87Control.Nothing);
        rows.Each(&X87Control.Obsolete, Code.Fneni, Code.Fndisi, Code.Fnsetpm);
        rows.Set(Code.Wait, &X87Control.Wait);
        rows.Set(Code.Fninit, &X87Control.Initialize);
        rows.Set(Code.Fnclex, &X87Control.ClearExceptions);
        rows.Set(Code.Fldcw_m2byte, null, &X87Control.LoadControl);
        rows.Set(Code.Fnstcw_m2byte, null, &X87Control.StoreControl);
        rows.Set(Code.Fnstsw_m2byte, null, &X87Control.StoreStatus);
        rows.Set(Code.Fnstsw_AX, &X87Control.StatusToRegister);
        rows.Set(Code.Fnstenv_m14byte, null, &X87Control.StoreEnvironment<Environment16>);
        rows.Set(Code.Fnstenv_m28byte, null, &X87Control.StoreEnvironment<Environment32>);
        rows.Set(Code.Fldenv_m14byte, null, &X87Control.LoadEnvironment<Environment16>);
        rows.Set(Code.Fldenv_m28byte, null, &X87Control.LoadEnvironment<Environment32>);
        rows.Set(Code.Fnsave_m94byte, null, &X87Control.Save<Environment16>);
        rows.Set(Code.Fnsave_m108byte, null, &X87Control.Save<Environment32>);
        rows.Set(Code.Frstor_m94byte, null, &X87Control.Restore<Environment16>);
        rows.Set(Code.Frstor_m108byte, null, &X87Control.Restore<Environment32>);
    }
}
