using System.Runtime.InteropServices;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>Bytes and the place in memory that they are for.</summary>
/// <param name="Address">Address of the first byte.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record PlacedBytes(nint Address, byte[] Bytes);

/// <summary>
/// Writes to the data of an image. Pages that are not writable never become so: a changed private copy, of the same
/// protection, takes their place in one step. So it is with pages that can be executed, as those of precompiled images:
/// no page is writable and executable at any time, and the code on them stays byte for byte what it was.
/// </summary>
internal static unsafe partial class DataPages
{
    private const int ReadOnly = 1, ReadWrite = 3, ReadExecute = 5, PrivateAnonymous = 0x22, MoveToFixed = 3; // <sys/mman.h> of Linux, x86-64 and arm64

    /// <summary>Two writers of one page would lose what one of them wrote.</summary>
    private static readonly Lock Gate = new();

    /// <summary>What was written last, by address.</summary>
    private static readonly Dictionary<nint, PlacedBytes> Contents = [];

    private static ulong _state;

    /// <summary>
    /// Stands for what was written, at every place: the same again whenever all places hold the same again. Code that is
    /// compiled from one state, and from what it inlines, is not what another state would give.
    /// </summary>
    public static ulong State
    {
        get
        {
            lock (Gate)
                return _state;
        }
    }

    /// <summary>Whether the bytes at a place are these.</summary>
    public static bool Hold(PlacedBytes expected)
    {
        // SAFETY: callers name places within an image whose assembly they keep alive.
        return new ReadOnlySpan<byte>((void*)expected.Address, expected.Bytes.Length).SequenceEqual(expected.Bytes);
    }

    /// <summary>The bytes at a place.</summary>
    /// <param name="address">Address of the first byte.</param>
    /// <param name="length">How many, in bytes.</param>
    public static PlacedBytes Read(nint address, int length)
    {
        // SAFETY: as above.
        return new PlacedBytes(address, new ReadOnlySpan<byte>((void*)address, length).ToArray());
    }

    /// <summary>Writes all of the bytes or, on any error, none.</summary>
    /// <param name="writes">The bytes, within an image whose assembly the caller keeps alive.</param>
    /// <exception cref="PatchException"><see cref="PatchError.ExecutableImage"/>, <see cref="PatchError.PagesRefused"/>.</exception>
    public static void Write(IReadOnlyList<PlacedBytes> writes)
    {
        lock (Gate)
        {
            List<Run> runs = RunsOf(writes);
            PlacedBytes[] before = [.. writes.Select(w => Read(w.Address, w.Bytes.Length))];
            int done = 0;
            try
            {
                for (; done < runs.Count; done++)
                    Put(runs[done], writes);
                foreach (PlacedBytes write in writes)
                    Enter(write);
            }
            catch (PatchException)
            {
                foreach (Run run in runs[..done])
                    Put(run, before);
                throw;
            }
        }
    }

    private static void Enter(PlacedBytes written)
    {
        if (Contents.TryGetValue(written.Address, out PlacedBytes? before))
            _state ^= HashOf(before);
        _state ^= HashOf(written);
        Contents[written.Address] = written;
    }

    private static ulong HashOf(PlacedBytes written)
    {
        ulong hash = 0xCBF29CE484222325 ^ (ulong)written.Address; // FNV-1a (draft-eastlake-fnv, 64 bits), begun with the address
        foreach (byte one in written.Bytes)
            hash = (hash ^ one) * 0x100000001B3;
        return hash;
    }

    /// <summary>The pages that the bytes lie on, neighbours of one protection together.</summary>
    private static List<Run> RunsOf(IReadOnlyList<PlacedBytes> writes)
    {
        nint size = Environment.SystemPageSize;
        var map = MemoryMap.Read();
        var runs = new List<Run>();
        List<PlacedBytes> ascending = [.. writes];
        ascending.Sort((a, b) => a.Address.CompareTo(b.Address));
        foreach (PlacedBytes write in ascending)
        {
            nint first = write.Address & ~(size - 1);
            for (nint page = runs.Count > 0 ? Math.Max(first, runs[^1].End) : first; page < write.Address + write.Bytes.Length; page += size)
            {
                if (map.At(page) is not { CanRead: true } region)
                    throw new PatchException(PatchError.PagesRefused, $"The page at 0x{page:x} is not mapped.");
                if (runs.Count > 0 && runs[^1].End == page && runs[^1].IsWritable == region.CanWrite && runs[^1].IsExecutable == region.CanExecute)
                    runs[^1] = runs[^1] with { End = page + size };
                else
                    runs.Add(new Run(page, page + size, region.CanWrite, region.CanExecute));
            }
        }

        return runs;
    }

    private static void Put(Run run, IReadOnlyList<PlacedBytes> writes)
    {
        // SAFETY: the run's pages hold an image's data and stay mapped while the caller keeps its assembly. Only the
        // wanted bytes are written where the program may write beside them.
        if (run.IsWritable)
            Fill(run, new Span<byte>((void*)run.Start, (int)(run.End - run.Start)), writes);
        else
            Replace(run, writes);
    }

    private static void Replace(Run run, IReadOnlyList<PlacedBytes> writes)
    {
        var length = (nuint)(run.End - run.Start);
        nint copy = Map(0, length, ReadWrite, PrivateAnonymous, -1, 0);
        if (copy == -1)
            throw Refused(run);

        // SAFETY: the copy is new and of this length; nobody else knows it. Once it has the protection of the pages, the
        // system puts it in their place: who reads or runs there finds the old page or the new one, and never none.
        var content = new Span<byte>((void*)copy, (int)length);
        new ReadOnlySpan<byte>((void*)run.Start, (int)length).CopyTo(content);
        Fill(run, content, writes);
        if (Protect(copy, length, run.IsExecutable ? ReadExecute : ReadOnly) == 0 && Move(copy, length, length, MoveToFixed, run.Start) == run.Start)
            return;
        PatchException refused = Refused(run);
        _ = Unmap(copy, length);
        throw refused;
    }

    /// <summary>Puts what falls on a run's pages into their content.</summary>
    private static void Fill(Run run, Span<byte> content, IReadOnlyList<PlacedBytes> writes)
    {
        foreach (PlacedBytes write in writes)
        {
            nint from = Math.Max(write.Address, run.Start), to = Math.Min(write.Address + write.Bytes.Length, run.End);
            if (from < to)
                write.Bytes.AsSpan((int)(from - write.Address), (int)(to - from)).CopyTo(content[(int)(from - run.Start)..]);
        }
    }

    private static PatchException Refused(Run run) =>
        new(run.IsExecutable ? PatchError.ExecutableImage : PatchError.PagesRefused, $"The system refused to change the pages at 0x{run.Start:x}: {Marshal.GetLastPInvokeErrorMessage()}.");

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    private static partial nint Move(nint address, nuint length, nuint newLength, int flags, nint newAddress);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    /// <summary>Pages in a row.</summary>
    private sealed record Run(nint Start, nint End, bool IsWritable, bool IsExecutable);
}
