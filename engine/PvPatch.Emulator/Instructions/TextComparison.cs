using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// What PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM compute (Intel SDM vol. 2, 4.1): the elements of one text fragment compared
/// with those of another, as the immediate says.
/// </summary>
internal readonly struct TextComparison
{
    private readonly byte _control;

    /// <summary>Compares.</summary>
    /// <param name="a">The first operand: a set, ranges or a text to find.</param>
    /// <param name="b">The second operand: the text.</param>
    /// <param name="lengthOfA">Valid elements of the first operand.</param>
    /// <param name="lengthOfB">Valid elements of the second operand.</param>
    /// <param name="control">The immediate.</param>
    public TextComparison(Vector128<byte> a, Vector128<byte> b, int lengthOfA, int lengthOfB, byte control)
    {
        _control = control;
        int count = Elements(control);
        uint all = (1u << count) - 1;
        uint valid = (1u << lengthOfB) - 1;
        int operation = control >> 2 & 3;
        uint found = (control & 3) switch
        {
            0 => Find(a, b, lengthOfA, valid, operation),
            1 => Find(a.AsUInt16(), b.AsUInt16(), lengthOfA, valid, operation),
            2 => Find(a.AsSByte(), b.AsSByte(), lengthOfA, valid, operation),
            _ => Find(a.AsInt16(), b.AsInt16(), lengthOfA, valid, operation),
        };

        Found = (control >> 4 & 3) switch
        {
            1 => ~found & all,
            3 => found ^ valid,
            _ => found,
        };
        AEnds = lengthOfA < count;
        BEnds = lengthOfB < count;
    }

    /// <summary>A bit for each element of the second operand.</summary>
    public uint Found { get; }

    /// <summary>Whether the first text ends within its operand.</summary>
    public bool AEnds { get; }

    /// <summary>Whether the second text ends within its operand.</summary>
    public bool BEnds { get; }

    /// <summary>The first or the last of the bits, or the number of elements if there is none.</summary>
    public int Index
    {
        get
        {
            if (Found == 0)
                return Elements(_control);
            return (_control & 0x40) != 0 ? BitOperations.Log2(Found) : BitOperations.TrailingZeroCount(Found);
        }
    }

    /// <summary>The bits as they are, or each as wide as an element.</summary>
    public Vector128<byte> Mask
    {
        get
        {
            if ((_control & 0x40) == 0)
                return Vector128.CreateScalar(Found).AsByte();
            Vector128<byte> mask = default;
            int size = 16 / Elements(_control);
            for (int i = 0; i < 16; i++)
                mask = mask.WithElement(i, (byte)((Found >> (i / size) & 1) != 0 ? 0xff : 0));
            return mask;
        }
    }

    /// <summary>Elements of an operand: 16 bytes or 8 words.</summary>
    public static int Elements(byte control) => (control & 1) != 0 ? 8 : 16;

    /// <summary>Elements before the first that is zero.</summary>
    public static int LengthToNull(Vector128<byte> text, byte control)
    {
        uint zeros = (control & 1) != 0
            ? Bits(Vector128.Equals(text.AsUInt16(), default))
            : Bits(Vector128.Equals(text, default));
        return BitOperations.TrailingZeroCount(zeros | (1u << Elements(control)));
    }

    /// <summary>A bit for each element of the second operand of which the operation holds.</summary>
    private static uint Find<T>(Vector128<T> a, Vector128<T> b, int lengthOfA, uint valid, int operation)
    {
        int count = Vector128<T>.Count;
        uint all = (1u << count) - 1;
        uint found = 0;
        switch (operation)
        {
            case 0:
                // Equal any: the element is one of a set.
                for (int i = 0; i < lengthOfA; i++)
                    found |= Bits(Vector128.Equals(b, Vector128.Create(a[i])));
                return found & valid;
            case 1:
                // Ranges: the element lies between the bounds of a pair.
                for (int i = 0; i + 1 < lengthOfA; i += 2)
                    found |= Bits(Vector128.GreaterThanOrEqual(b, Vector128.Create(a[i]))) & Bits(Vector128.LessThanOrEqual(b, Vector128.Create(a[i + 1])));
                return found & valid;
            case 2:
                // Equal each: same element at the same place; both texts ended is equal, too.
                uint validOfA = (1u << lengthOfA) - 1;
                return (Bits(Vector128.Equals(a, b)) & validOfA & valid) | (~validOfA & ~valid & all);
            default:
                // Equal ordered: the first text starts here, as far as the operand goes.
                found = all;
                for (int i = 0; i < lengthOfA; i++)
                    found &= ((Bits(Vector128.Equals(b, Vector128.Create(a[i]))) & valid) >> i) | ~(all >> i);
                return found;
        }
    }

    private static uint Bits<T>(Vector128<T> elements) => elements.ExtractMostSignificantBits();
}
