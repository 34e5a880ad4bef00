using System.Numerics;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which registers the instructions of a region use, and which of them are kept in locals: those that are used most. The others stay in the
/// CPU's state, since the host has no register for them, and entering and leaving the region costs a load and a store for each that is kept.
/// Sets of registers have a bit each: the general ones, above them those of XMM, then the upper halves of those of YMM.
/// </summary>
internal sealed class RegisterUse
{
    private const int MostGeneral = 10;
    private const int LeastWeight = 3;
    private const int MostDepth = 4;
    private const int DepthBits = 3;
    private const int Registers = 48;
    private const ulong Vectors = 0xffff_ffff_0000;
    private const ulong UpperHalves = 0xffff_0000_0000;

    private readonly InstructionInfoFactory _information = new();
    private readonly long[] _weights = new long[Registers];
    private ulong _needed;

    /// <summary>The place of XMM0 in sets.</summary>
    public const int FirstVector = 16;

    /// <summary>The place of the upper half of YMM0.</summary>
    public const int FirstUpperHalf = 32;

    /// <summary>Those that are used.</summary>
    public ulong Used { get; private set; }

    /// <summary>Those that may be changed.</summary>
    public ulong Written { get; private set; }

    /// <summary>Those that are kept in locals, once <see cref="Choose"/> was called.</summary>
    public ulong Kept { get; private set; }

    /// <summary>Notes what an instruction uses.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="depth">In how many loops it is.</param>
    public void Add(in Instruction instruction, int depth)
    {
        Find(instruction, out ulong used, out ulong written);
        Used |= used;
        Written |= written;
        if (VectorForms.IsFloat(instruction))
            _needed |= used & Vectors;

        // To clear all upper halves in the CPU's state is one thing.
        if (instruction.Mnemonic == Mnemonic.Vzeroupper)
            return;
        for (ulong left = used; left != 0; left &= left - 1)
            _weights[BitOperations.TrailingZeroCount(left)] += 1L << (DepthBits * Math.Min(depth, MostDepth));
    }

    /// <summary>Chooses those that are kept.</summary>
    public void Choose()
    {
        Kept = _needed;
        for (int i = FirstVector; i < Registers; i++)
        {
            if (_weights[i] >= LeastWeight)
                Kept |= 1ul << i;
        }

        for (int kept = 0; kept < MostGeneral; kept++)
        {
            int best = -1;
            for (int i = 0; i < FirstVector; i++)
            {
                if ((Kept >> i & 1) == 0 && _weights[i] >= LeastWeight && (best < 0 || _weights[i] > _weights[best]))
                    best = i;
            }

            if (best < 0)
                return;
            Kept |= 1ul << best;
        }
    }

    /// <summary>The registers that an instruction names or implies, and those that it may change.</summary>
    public void Find(in Instruction instruction, out ulong used, out ulong written)
    {
        used = 0;
        written = 0;
        if (instruction.Mnemonic == Mnemonic.Vzeroupper)
        {
            used = written = UpperHalves;
            return;
        }

        foreach (UsedRegister one in _information.GetInfo(instruction).GetUsedRegisters())
        {
            ulong bit = BitOf(one.Register);
            used |= bit;
            if (one.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.NoMemAccess or OpAccess.None))
                written |= bit;
        }
    }

    private static ulong BitOf(Register register)
    {
        if (register.IsXMM())
            return 1ul << (FirstVector + register - Register.XMM0);
        if (register.IsYMM() || register.IsZMM())
            return (1ul << (FirstVector + register.GetNumber())) | (1ul << (FirstUpperHalf + register.GetNumber()));
        Register full = register.GetFullRegister();
        return full is >= Register.RAX and <= Register.R15 ? 1ul << (full - Register.RAX) : 0;
    }
}
