using System.Runtime.InteropServices;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// The ranges of linear memory whose reads or writes somebody wants to see, for all CPUs of a machine. Pages with such a
/// range have no tag in the TLB, so only their accesses take the slow way that looks here.
/// </summary>
internal sealed unsafe class MemoryWatches : IDisposable
{
    private readonly GCHandle _handle;

    /// <summary>No watches yet.</summary>
    /// <param name="changed">Called after each change.</param>
    public MemoryWatches(Action changed)
    {
        _handle = GCHandle.Alloc(this, GCHandleType.Weak);
        Reads = new HookRanges<MemoryHook>(changed);
        Writes = new HookRanges<MemoryHook>(changed);
    }

    public HookRanges<MemoryHook> Reads { get; }

    public HookRanges<MemoryHook> Writes { get; }

    /// <summary>What <see cref="CpuState.Watches"/> holds: 0 while nothing is watched.</summary>
    public nint Handle => Reads.IsEmpty && Writes.IsEmpty ? 0 : GCHandle.ToIntPtr(_handle);

    /// <summary>The watches of a CPU that has some.</summary>
    public static MemoryWatches Of(CpuState* cpu) => (MemoryWatches)GCHandle.FromIntPtr(cpu->Watches).Target!;

    /// <summary>Whether an access touches a watched range. What is written may be read first, by an instruction that changes memory.</summary>
    public bool Covers(ulong linear, int size, AccessKind kind)
    {
        ulong last = linear + (uint)(size - 1);
        return kind != AccessKind.Execute && (Reads.Touch(linear, last) || (kind == AccessKind.Write && Writes.Touch(linear, last)));
    }

    /// <summary>Calls those who watch.</summary>
    public void Report(CpuState* cpu, ulong linear, ReadOnlySpan<byte> bytes, bool isWrite)
    {
        ulong last = linear + (uint)(bytes.Length - 1);
        foreach (HookRange<MemoryHook> range in (isWrite ? Writes : Reads).All)
        {
            if (range.Touches(linear, last))
                range.Hook(cpu, linear, bytes, isWrite);
        }
    }

    public void Dispose() => _handle.Free();
}
