using System.Numerics;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which registers the instructions of a region use, and which of them are kept in locals: those that are used most. The others stay in the
/// CPU's state, since the host has no register for them, and entering and leaving the region costs a load and a store for each that is kept.
/// Sets of registers have a bit each, those of XMM above the general ones.
/// </summary>
internal sealed class RegisterUse
{
    private const int MostGeneral = 10;
    private const int LeastWeight = 3;
    private const int MostDepth = 4;
    private const int DepthBits = 3;
    private const int Registers = 32;
    private const int FirstVector = 16;

    private readonly InstructionInfoFactory _information = new();
    private readonly long[] _weights = new long[Registers];
    private int _needed;

    /// <summary>Those that are used.</summary>
    public int Used { get; private set; }

    /// <summary>Those that may be changed.</summary>
    public int Written { get; private set; }

    /// <summary>Those that are kept in locals, once <see cref="Choose"/> was called.</summary>
    public int Kept { get; private set; }

    /// <summary>Notes what an instruction uses.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="depth">In how many loops it is.</param>
    public void Add(in Instruction instruction, int depth)
    {
        Find(instruction, out int used, out int written);
        Used |= used;
        Written |= written;
        if (VectorForms.IsFloat(instruction))
            _needed |= used & ~((1 << FirstVector) - 1);
        for (int left = used; left != 0; left &= left - 1)
            _weights[BitOperations.TrailingZeroCount(left)] += 1L << (DepthBits * Math.Min(depth, MostDepth));
    }

    /// <summary>Chooses those that are kept.</summary>
    public void Choose()
    {
        Kept = _needed;
        for (int i = FirstVector; i < Registers; i++)
        {
            if (_weights[i] >= LeastWeight)
                Kept |= 1 << i;
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
            Kept |= 1 << best;
        }
    }

    /// <summary>The registers that an instruction names or implies, and those that it may change.</summary>
    public void Find(in Instruction instruction, out int used, out int written)
    {
        used = 0;
        written = 0;
        foreach (UsedRegister one in _information.GetInfo(instruction).GetUsedRegisters())
        {
            int bit = BitOf(one.Register);
            used |= bit;
            if (one.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.NoMemAccess or OpAccess.None))
                written |= bit;
        }
    }

    private static int BitOf(Register register)
    {
        if (register is >= Register.XMM0 and <= Register.XMM15)
            return 1 << (FirstVector + register - Register.XMM0);
        Register full = register.GetFullRegister();
        return full is >= Register.RAX and <= Register.R15 ? 1 << (full - Register.RAX) : 0;
    }
}
