namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>How a case ended: in the stub of a vector, or by a shutdown, after which nothing is left to see.</summary>
internal sealed class SystemResult
{
    private const int General32 = 8;
    private const int General64 = 16;

    private SystemResult(bool shutdown) => IsShutdown = shutdown;

    /// <summary>A triple fault.</summary>
    public bool IsShutdown { get; }

    /// <summary>The stub that was entered.</summary>
    public byte Vector { get; private set; }

    /// <summary>Whether an error code lies under the frame.</summary>
    public bool HasErrorCode { get; private set; }

    /// <summary>RAX to R15 as the stub found them; the stack pointer is that of the handler.</summary>
    public ulong[] General { get; } = new ulong[16];

    /// <summary>DS, ES, FS, GS.</summary>
    public ushort[] Data { get; } = new ushort[4];

    /// <summary>CR0, CR2, CR3, CR4, DR6, DR7, TR, LDTR and, in long mode, the bases of FS, GS and the kernel's GS, and EFER.</summary>
    public ulong[] System { get; } = new ulong[12];

    /// <summary>The values on the stack: error code, RIP, CS, RFLAGS, RSP, SS … as far as that event pushes them.</summary>
    public ulong[] Frame { get; } = new ulong[8];

    /// <summary>Every double word that changed, but those that the stub pushed and the TSS that the launcher made busy.</summary>
    public SortedDictionary<uint, uint> Memory { get; } = [];

    /// <summary>Reads what a ROM wrote; the last dump may be cut off, then it does not count.</summary>
    public static List<SystemResult> Parse(IReadOnlyList<SystemCase> cases, ReadOnlySpan<byte> output)
    {
        var results = new List<SystemResult>();
        int at = 0;
        while (at < output.Length && output[at] != SystemFirmware.EndMark)
        {
            if (output[at] == SystemFirmware.ShutdownMark)
            {
                at++;
                results.Add(new SystemResult(shutdown: true));
                continue;
            }

            if (output[at++] != SystemFirmware.DumpMark)
                throw new FormatException($"The output has no mark at {at - 1}.");
            if (!TryChanges(output, ref at, out uint stack, out SortedDictionary<uint, uint> changes))
                break;
            results.Add(Read(cases[results.Count], stack, changes));
        }

        return results;
    }

    private static bool TryChanges(ReadOnlySpan<byte> output, ref int at, out uint stack, out SortedDictionary<uint, uint> changes)
    {
        changes = [];
        bool whole = TryNext(output, ref at, out stack);
        while (whole && TryNext(output, ref at, out uint place))
        {
            if (place == uint.MaxValue)
                return true;
            whole = TryNext(output, ref at, out uint value);
            changes[place] = value;
        }

        return false;
    }

    private static bool TryNext(ReadOnlySpan<byte> output, ref int at, out uint value)
    {
        value = 0;
        if (output.Length - at < sizeof(uint))
            return false;
        value = BitConverter.ToUInt32(output[at..]);
        at += sizeof(uint);
        return true;
    }

    private static SystemResult Read(SystemCase one, uint stack, SortedDictionary<uint, uint> changes)
    {
        var result = new SystemResult(shutdown: false);
        byte[] image = SystemLayout.Image(one.Mode);
        foreach ((uint place, byte[] bytes) in one.Memory.Select(p => (p.Key, p.Value)).Concat(SystemLauncher.Build(one)))
            bytes.CopyTo(image, (int)place);
        foreach ((uint place, uint value) in changes)
            BitConverter.TryWriteBytes(image.AsSpan((int)place), value);
        uint at = stack;
        ulong Take(int size)
        {
            ulong value = 0;
            for (int i = 0; i < size; i++)
            {
                if (at + i < image.Length)
                    value |= (ulong)image[at + i] << (8 * i);
            }

            at += (uint)size;
            return value;
        }

        int word = one.Mode == SystemMode.Real ? 2 : one.IsLong ? 8 : 4;
        if (one.IsLong)
        {
            for (int i = 0; i < 4; i++)
            {
                ulong low = Take(8);
                result.System[11 - i] = low | (Take(8) << 32);
            }
        }

        int wide = one.IsLong ? 8 : 4;
        for (int i = one.Mode == SystemMode.Real ? 5 : 7; i >= 0; i--)
            result.System[i] = Take(wide);
        for (int i = 0; i < 4; i++)
            result.Data[3 - i] = (ushort)Take(word);
        for (int i = (one.IsLong ? General64 : General32) - 1; i >= 0; i--)
            result.General[i] = Take(wide);
        result.Vector = (byte)Take(word);
        uint top = at;
        result.HasErrorCode = one.Mode != SystemMode.Real && result.Vector is 8 or (>= 10 and <= 14) or 17;
        for (int i = 0; i < result.Frame.Length; i++)
            result.Frame[i] = Take(word);
        uint bottom = (stack & ~3u) - (one.IsLong ? 8u : 0); // in long mode the stub leaves through a far pointer
        foreach ((uint place, uint value) in changes)
        {
            bool taskIsBusy = place == SystemLayout.Gdt + SystemLayout.TaskSelector + 4 && value == SystemLayout.BusyTaskAccess;
            if ((place + 4 <= bottom || place >= top) && !taskIsBusy)
                result.Memory.Add(place, value);
        }

        return result;
    }
}
