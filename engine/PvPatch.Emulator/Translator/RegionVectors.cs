using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// The XMM registers of a region, and the upper halves of YMM registers: locals of 16 bytes, which the runtime's compiler keeps in vector
/// registers. Those that are hardly used stay in the CPU's state.
/// </summary>
internal sealed class RegionVectors(RegionIl il)
{
    private const int Halves = 32;

    private static readonly MethodInfo Zero = typeof(Vector128<byte>).GetProperty(nameof(Vector128<byte>.Zero))!.GetMethod!;

    private readonly LocalBuilder?[] _halves = new LocalBuilder?[Halves];
    private readonly LocalBuilder _moved = il.VectorLocal();

    /// <summary>Pushes an XMM register, or the lower half of a YMM register.</summary>
    public void Push(Register register) => Push(register, 0);

    /// <summary>Pushes a lane of a register.</summary>
    /// <param name="register">The register, XMM or YMM.</param>
    /// <param name="lane">0, or 1 for the upper half.</param>
    public void Push(Register register, int lane)
    {
        int half = HalfOf(register, lane);
        if (IsKept(half))
        {
            il.Load(Local(half));
            return;
        }

        il.StateAddress(Offset(half));
        il.ReadVector();
    }

    /// <summary>Takes the vector on the stack into an XMM register, or the lower half of a YMM register.</summary>
    public void Pop(Register register) => Pop(register, 0);

    /// <summary>Takes the vector on the stack into a lane of a register.</summary>
    /// <param name="register">The register, XMM or YMM.</param>
    /// <param name="lane">0, or 1 for the upper half.</param>
    public void Pop(Register register, int lane)
    {
        int half = HalfOf(register, lane);
        if (IsKept(half))
        {
            il.Store(Local(half));
            return;
        }

        il.Store(_moved);
        il.StateAddress(Offset(half));
        il.Load(_moved);
        il.WriteVector();
    }

    /// <summary>Pushes zero.</summary>
    public void PushZero() => il.Emit(Zero);

    /// <summary>Clears the upper half of a register.</summary>
    public void ClearHigh(Register register)
    {
        PushZero();
        Pop(register, 1);
    }

    /// <summary>Clears the upper halves of all registers.</summary>
    public void ClearHigh()
    {
        il.StateAddress(StateOffsets.YmmHigh(0));
        il.Small(0);
        il.Small(Halves / 2 * 16);
        il.Op(OpCodes.Initblk);
        for (int half = Halves / 2; half < Halves; half++)
        {
            if (!IsKept(half))
                continue;
            PushZero();
            il.Store(Local(half));
        }
    }

    /// <summary>Brings registers into their locals.</summary>
    /// <param name="halves">A bit each: XMM registers, then upper halves.</param>
    public void Fill(uint halves)
    {
        for (int half = 0; half < Halves; half++)
        {
            if ((halves >> half & 1) == 0)
                continue;
            il.StateAddress(Offset(half));
            il.ReadVector();
            il.Store(Local(half));
        }
    }

    /// <summary>Writes back registers.</summary>
    /// <param name="halves">A bit each: XMM registers, then upper halves.</param>
    public void Spill(uint halves)
    {
        for (int half = 0; half < Halves; half++)
        {
            if ((halves >> half & 1) == 0)
                continue;
            il.StateAddress(Offset(half));
            il.Load(Local(half));
            il.WriteVector();
        }
    }

    private static int HalfOf(Register register, int lane) => register.GetNumber() + (lane * Halves / 2);

    private static int Offset(int half) => half < Halves / 2 ? StateOffsets.Xmm(half) : StateOffsets.YmmHigh(half - (Halves / 2));

    private bool IsKept(int half) => il.IsKept(RegisterUse.FirstVector + half);

    private LocalBuilder Local(int half) => _halves[half] ??= il.VectorLocal();
}
