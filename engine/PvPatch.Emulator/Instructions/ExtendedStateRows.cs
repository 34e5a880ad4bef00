using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of what saves and restores x87, MMX, SSE and AVX state as a whole, and of XCR0.</summary>
internal static unsafe class ExtendedStateRows
{
    public static void Add(RowBuilder rows)
    {
        rows.Set(Code.Fxsave_m512byte, null, &FxsaveImage.Save<ShortPointers>);
        rows.Set(Code.Fxsave64_m512byte, null, &FxsaveImage.Save<LongPointers>);
        rows.Set(Code.Fxrstor_m512byte, null, &FxsaveImage.Restore<ShortPointers>);
        rows.Set(Code.Fxrstor64_m512byte, null, &FxsaveImage.Restore<LongPointers>);
        rows.Set(Code.Xsave_mem, null, &XsaveArea.Save<ShortPointers>);
        rows.Set(Code.Xsave64_mem, null, &XsaveArea.Save<LongPointers>);
        rows.Set(Code.Xsaveopt_mem, null, &XsaveArea.SaveOptimized<ShortPointers>);
        rows.Set(Code.Xsaveopt64_mem, null, &XsaveArea.SaveOptimized<LongPointers>);
        rows.Set(Code.Xsavec_mem, null, &XsaveArea.SaveCompacted<ShortPointers>);
        rows.Set(Code.Xsavec64_mem, null, &XsaveArea.SaveCompacted<LongPointers>);
        rows.Set(Code.Xrstor_mem, null, &XsaveArea.Restore<ShortPointers>);
        rows.Set(Code.Xrstor64_mem, null, &XsaveArea.Restore<LongPointers>);
        rows.Set(Code.Xgetbv, &ExtendedControl.Read);
        rows.Set(Code.Xsetbv, &ExtendedControl.Write);
    }
}
