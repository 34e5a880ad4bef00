using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

#pragma warning disable CA1857 // The immediate is a constant where a meaning is inlined into translated code.

/// <summary>PCLMULQDQ (Intel SDM vol. 2).</summary>
internal static class CarrylessProducts
{
    /// <summary>The product of two polynomials over GF(2); bits 0 and 4 of the immediate choose the halves.</summary>
    public static Vector128<byte> Multiply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        if (Pclmulqdq.IsSupported)
            return Pclmulqdq.CarrylessMultiply(a.AsUInt64(), b.AsUInt64(), immediate).AsByte();
        ulong x = a.AsUInt64()[immediate & 1];
        UInt128 y = b.AsUInt64()[immediate >> 4 & 1];
        UInt128 product = 0;
        for (; x != 0; x >>= 1, y <<= 1)
        {
            if ((x & 1) != 0)
                product ^= y;
        }

        return Vector128.Create((ulong)product, (ulong)(product >> 64)).AsByte();
    }
}
