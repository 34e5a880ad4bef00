using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// The instructions whose bytes lie in two pages, or where there is no memory. They are not kept by address: their bytes are fetched and
/// compared each time.
/// </summary>
internal sealed unsafe class StraddlingCode(CpuState* cpu, HookRanges<InstructionHook> hooks, CodeDecoder decoder) : IDisposable
{
    private const int Most = 4096;
    private const int RecentPlaces = 64;

    private readonly Dictionary<Key, Decoded> _known = [];
    private readonly (Key Key, Decoded Decoded)[] _recent = new (Key, Decoded)[RecentPlaces];

    /// <summary>The instruction at an address, decoded; null with the fault of its fetch.</summary>
    /// <param name="rip">RIP, EIP or IP.</param>
    /// <param name="linear">Its linear address.</param>
    /// <param name="allowed">How many bytes the code segment's limit lets be fetched, if that is fewer than an instruction may have.</param>
    /// <param name="mode">The privilege of the fetch.</param>
    /// <param name="width">The width of the code.</param>
    /// <param name="fault">The exception of the fetch.</param>
    public DecodedInstruction* Find(ulong rip, ulong linear, int allowed, AccessMode mode, Marks width, out MemoryFault fault)
    {
        byte* bytes = stackalloc byte[CodeDecoder.LongestInstruction];
        ref (Key Key, Decoded Decoded) recent = ref _recent[rip % RecentPlaces];
        if (recent.Key is { } last && last.Rip == rip && last.CodeWidth == width && last.Length <= allowed && IsStillThere(last, linear, mode, bytes))
        {
            fault = default;
            return recent.Decoded.First;
        }

        if (!TryFetch(rip, linear, allowed, mode, width, bytes, out Instruction instruction, out fault))
            return null;

        var key = new Key(Word(bytes, instruction.Length), Word(bytes + sizeof(ulong), instruction.Length - sizeof(ulong)), instruction.Length, rip, width);
        if (!_known.TryGetValue(key, out Decoded? decoded))
        {
            if (_known.Count == Most)
                Forget();
            decoded = new Decoded();
            Decode(instruction, bytes, width, decoded.First);
            _known.Add(key, decoded);
        }

        recent = (key, decoded);
        return decoded.First;
    }

    /// <summary>Forgets all. Nothing may point to them any more.</summary>
    public void Forget()
    {
        foreach (Decoded decoded in _known.Values)
            decoded.Dispose();
        _known.Clear();
        Array.Clear(_recent);
    }

    /// <summary>Some bytes, no more than a word has, as a number.</summary>
    private static ulong Word(byte* bytes, int count)
    {
        ulong word = 0;
        for (int i = 0; i < Math.Min(count, sizeof(ulong)); i++)
        {
            // SAFETY: callers have so many bytes.
            word |= (ulong)bytes[i] << (8 * i);
        }

        return word;
    }

    public void Dispose() => Forget();

    private void Decode(in Instruction instruction, byte* bytes, Marks width, DecodedInstruction* u)
    {
        OperandDecoder.Fill(cpu, instruction, bytes, width, u);
        if (instruction.IsInvalid)
            u->Handler = instruction.Length >= CodeDecoder.LongestInstruction ? &Faults.TooLong : &Faults.InvalidOpcode;
        u[1] = new DecodedInstruction { Rip = ControlFlow.Next(u), Marks = width, Handler = &ControlFlow.Continue, Length = 1 };
        if (hooks.Touch(u->Rip, u->Rip))
            HookedInstruction.Put(u, u + 2);
    }

    /// <summary>Fetches an instruction: the second page only if it has bytes there.</summary>
    private bool TryFetch(ulong rip, ulong linear, int allowed, AccessMode mode, Marks width, byte* bytes, out Instruction instruction, out MemoryFault fault)
    {
        instruction = default;
        int inFirst = (int)Math.Min((ulong)allowed, 0x1000 - (linear & 0xfff));
        if (!TryFetch(linear, inFirst, mode, bytes, out fault))
            return false;
        if (TryDecode(rip, width, bytes, inFirst, out instruction))
            return true;
        if (inFirst < allowed && !TryFetch(linear + (uint)inFirst, allowed - inFirst, mode, bytes + inFirst, out fault))
            return false;
        if (TryDecode(rip, width, bytes, allowed, out instruction))
            return true;

        // Its bytes go beyond the segment's limit, or it is longer than any instruction may be.
        fault = new MemoryFault(MemoryFault.GeneralProtection, 0, linear);
        return false;
    }

    /// <summary>Fetches the bytes of an instruction that was there before, the second page only if those in the first one are the same.</summary>
    private bool IsStillThere(Key known, ulong linear, AccessMode mode, byte* bytes)
    {
        int inFirst = Math.Min(known.Length, 0x1000 - (int)(linear & 0xfff));
        return TryFetch(linear, inFirst, mode, bytes, out _) && known.Has(bytes, 0, inFirst) &&
            (inFirst == known.Length || (TryFetch(linear + (uint)inFirst, known.Length - inFirst, mode, bytes + inFirst, out _) && known.Has(bytes, inFirst, known.Length)));
    }

    private bool TryDecode(ulong rip, Marks width, byte* bytes, int count, out Instruction instruction)
    {
        Decoder started = decoder.Start(bytes, count, rip, width);
        started.Decode(out instruction);
        return started.LastError != DecoderError.NoMoreBytes;
    }

    /// <summary>Fetches bytes of one page. A translation that the TLB has stays until it is invalidated, as for any other code.</summary>
    private bool TryFetch(ulong linear, int size, AccessMode mode, byte* target, out MemoryFault fault)
    {
        fault = default;
        byte* host = Tlb.ForExecute(Tlb.Table(cpu, mode), linear);
        if (host != null)
        {
            // SAFETY: the bytes lie in the page that the TLB vouches for; target has room for them.
            Unsafe.CopyBlockUnaligned(target, host, (uint)size);
            return true;
        }

        if (!ReservedBytes.TryReserve(cpu, linear, size, AccessKind.Execute, mode, out ReservedBytes found, out fault))
            return false;
        found.FetchTo(cpu, target);
        return true;
    }

    // A class with these two: dictionaries of structs, and comparers of enumerations, are compiled anew by each process.
    private sealed record Key(ulong LowBytes, ulong HighBytes, int Length, ulong Rip, Marks CodeWidth)
    {
        public bool Equals(Key? other) =>
            other != null && LowBytes == other.LowBytes && HighBytes == other.HighBytes && Length == other.Length && Rip == other.Rip && CodeWidth == other.CodeWidth;

        public override int GetHashCode() => (int)(Rip ^ (Rip >> 32) ^ LowBytes);

        /// <summary>Whether these are its bytes, from one on up to another.</summary>
        public bool Has(byte* bytes, int from, int to)
        {
            for (int i = from; i < to; i++)
            {
                // SAFETY: an instruction has no more bytes than the buffer.
                if (bytes[i] != (byte)((i < sizeof(ulong) ? LowBytes : HighBytes) >> (8 * (i % sizeof(ulong)))))
                    return false;
            }

            return true;
        }
    }

    /// <summary>An instruction, what leads on behind it, and the two that a hook needs.</summary>
    private sealed class Decoded : IDisposable
    {
        // SAFETY: Dispose releases the four.
        public DecodedInstruction* First { get; } = (DecodedInstruction*)NativeMemory.AlignedAlloc((nuint)(4 * sizeof(DecodedInstruction)), 64);

        public void Dispose() => NativeMemory.AlignedFree(First);
    }
}
