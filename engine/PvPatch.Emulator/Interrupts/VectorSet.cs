using System.Numerics;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Interrupts;

/// <summary>256 bits, one a vector, as IRR and ISR are. Setting and clearing is safe from any thread.</summary>
internal sealed class VectorSet : ISavedState
{
    private readonly uint[] _words = new uint[8];

    /// <summary>Adds a vector. False: it was there, the two became one.</summary>
    public bool Add(byte vector)
    {
        uint bit = 1u << (vector & 31);
        return (Interlocked.Or(ref _words[vector >> 5], bit) & bit) == 0;
    }

    /// <summary>Removes a vector.</summary>
    public void Remove(byte vector) => Interlocked.And(ref _words[vector >> 5], ~(1u << (vector & 31)));

    /// <summary>The highest vector, -1 if there is none.</summary>
    public int Highest()
    {
        for (int word = 7; word >= 0; word--)
        {
            uint bits = Volatile.Read(ref _words[word]);
            if (bits != 0) return word * 32 + BitOperations.Log2(bits);
        }

        return -1;
    }

    /// <summary>32 of the bits as the register has them.</summary>
    public uint Word(int index) => Volatile.Read(ref _words[index]);

    /// <summary>All of them.</summary>
    public void Transfer(StateTransfer state) => state.Values<uint>(_words);

    /// <summary>Removes all.</summary>
    public void Clear()
    {
        for (int word = 0; word < 8; word++) Volatile.Write(ref _words[word], 0);
    }
}
