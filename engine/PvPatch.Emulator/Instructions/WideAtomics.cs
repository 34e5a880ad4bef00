namespace PvPatch.Emulator.Instructions;

/// <summary>The 16-byte compare and exchange, which .NET does not offer: guarded by a lock per address among emulated CPUs.</summary>
internal static unsafe class WideAtomics
{
    private static readonly Lock[] Stripes = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];

    /// <summary>
    /// Puts <paramref name="wanted"/> where <paramref name="expected"/> stands; returns what stood there. Atomic against
    /// itself; a plain 8-byte store of another CPU may come between the halves.
    /// </summary>
    public static UInt128 CompareExchange(ulong* place, UInt128 wanted, UInt128 expected)
    {
        lock (Stripes[((ulong)place >> 4) & 63])
        {
            // SAFETY: the caller vouches for 16 bytes at place.
            var found = new UInt128(place[1], place[0]);
            if (found == expected)
            {
                place[0] = (ulong)wanted;
                place[1] = (ulong)(wanted >> 64);
            }

            return found;
        }
    }
}
