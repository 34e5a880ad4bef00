namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>Who waits at which word of memory (futex(2)). A word is known by its place in RAM, which all who share it have in common.</summary>
internal sealed class Futexes
{
    private readonly Dictionary<ulong, List<Waiter>> _waiters = [];

    /// <summary>Begins to wait.</summary>
    /// <param name="place">The word's physical address.</param>
    /// <param name="bits">The waker's bits must have one of these.</param>
    public Waiter Add(ulong place, uint bits)
    {
        var waiter = new Waiter(bits) { Place = place };
        At(place).Add(waiter);
        return waiter;
    }

    /// <summary>Ends waiting without having been woken.</summary>
    public void Remove(Waiter waiter) => At(waiter.Place).Remove(waiter);

    /// <summary>Wakes those who wait, the longest first, and counts them.</summary>
    public int Wake(ulong place, int atMost, uint bits)
    {
        if (!_waiters.TryGetValue(place, out List<Waiter>? all))
            return 0;
        int woken = 0;
        for (int i = 0; i < all.Count && woken < atMost; i++)
        {
            if ((all[i].Bits & bits) == 0)
                continue;
            all[i].IsWoken = true;
            all.RemoveAt(i--);
            woken++;
        }

        if (all.Count == 0)
            _waiters.Remove(place);
        return woken;
    }

    /// <summary>Lets waiters wait at another word, and counts them.</summary>
    public int Requeue(ulong place, ulong target, int atMost)
    {
        if (place == target || !_waiters.TryGetValue(place, out List<Waiter>? all))
            return 0;
        int moved = Math.Min(all.Count, atMost);
        foreach (Waiter waiter in all[..moved])
            waiter.Place = target;
        At(target).AddRange(all[..moved]);
        all.RemoveRange(0, moved);
        return moved;
    }

    private List<Waiter> At(ulong place)
    {
        if (!_waiters.TryGetValue(place, out List<Waiter>? all))
            _waiters[place] = all = [];
        return all;
    }

    /// <summary>One who waits.</summary>
    /// <param name="bits">Which wakers concern it.</param>
    internal sealed class Waiter(uint bits)
    {
        /// <summary>Which wakers concern it.</summary>
        public uint Bits => bits;

        /// <summary>The physical address of its word.</summary>
        public required ulong Place { get; set; }

        /// <summary>It was woken.</summary>
        public bool IsWoken { get; set; }
    }
}
