using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>What a handler is told of a signal (sigaction(2), <c>siginfo_t</c>).</summary>
/// <param name="Code"><c>si_code</c>: why it came.</param>
/// <param name="Value">The eight bytes after it: the address of a fault, or the sender's process and user.</param>
internal readonly record struct SignalInfo(int Code, ulong Value)
{
    /// <summary>kill(2) was called.</summary>
    public const int ByUser = 0;

    /// <summary>The kernel sent it.</summary>
    public const int ByKernel = 0x80;

    /// <summary>tkill(2) or tgkill(2) was called.</summary>
    public const int ByThread = -6;

    /// <summary>Bytes of <c>siginfo_t</c>.</summary>
    public const int Size = 128;

    /// <summary>As <c>siginfo_t</c>.</summary>
    public byte[] ToBytes(Signal signal)
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)signal);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Code);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), Value);
        return bytes;
    }
}

/// <summary>The signals that were sent and not handled yet. Of each there is one at most, as with all that are no real-time signals.</summary>
internal sealed class PendingSignals
{
    private readonly SignalInfo[] _infos = new SignalInfo[SignalActions.Last + 1];

    /// <summary>The signals, a bit each; signal 1 is bit 0.</summary>
    public ulong Set { get; private set; }

    /// <summary>The bit of a signal in a set.</summary>
    public static ulong Bit(Signal signal) => 1ul << ((int)signal - 1);

    /// <summary>Adds a signal, unless it is there already.</summary>
    public void Add(Signal signal, SignalInfo info)
    {
        if ((Set & Bit(signal)) != 0)
            return;
        Set |= Bit(signal);
        _infos[(int)signal] = info;
    }

    /// <summary>Takes a signal out, if it is there.</summary>
    public bool TryTake(Signal signal, out SignalInfo info)
    {
        info = _infos[(int)signal];
        bool found = (Set & Bit(signal)) != 0;
        Set &= ~Bit(signal);
        return found;
    }
}
