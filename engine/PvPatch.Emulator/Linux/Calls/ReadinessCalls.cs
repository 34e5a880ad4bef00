using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>Waiting until files can be read or written (poll(2), ppoll(2), select(2), pselect6(2)). Only pipes make anybody wait.</summary>
internal static class ReadinessCalls
{
    private const int EntrySize = 8;
    private const int MostDescriptors = FileTable.MostDescriptors;

    /// <summary>What poll(2) asks for and tells.</summary>
    [Flags]
    private enum Ready
    {
        None = 0,
        In = 1,
        Out = 4,
        Error = 8,
        HungUp = 0x10,
        Invalid = 0x20,
    }

    public static long Poll(LinuxProcess process, in CallArguments call)
    {
        int milliseconds = (int)call.A2;
        return Poll(process, call.A0, call.A1, milliseconds < 0 ? Wait.Never : Wait.After((UInt128)milliseconds * 1_000_000));
    }

    public static long Ppoll(LinuxProcess process, in CallArguments call) =>
        DeadlineOf(process, call.A2, out long error) is { } deadline ? Poll(process, call.A0, call.A1, deadline) : error;

    public static long Select(LinuxProcess process, in CallArguments call)
    {
        if (call.A4 == 0)
            return Select(process, call, Wait.Never);
        if (!process.TryRead64(call.A4, out ulong seconds) || !process.TryRead64(call.A4 + 8, out ulong microseconds))
            return -Errno.BadAddress;
        return (long)seconds < 0 || (long)microseconds < 0
            ? -Errno.Invalid
            : Select(process, call, Wait.After(((UInt128)seconds * 1_000_000_000) + ((UInt128)microseconds * 1000)));
    }

    public static long Pselect(LinuxProcess process, in CallArguments call) =>
        DeadlineOf(process, call.A4, out long error) is { } deadline ? Select(process, call, deadline) : error;

    private static long? DeadlineOf(LinuxProcess process, ulong address, out long error)
    {
        error = 0;
        if (address == 0)
            return Wait.Never;
        return TimeCalls.ReadTime(process, address, out error) is { } time ? Wait.After(time) : null;
    }

    private static long Poll(LinuxProcess process, ulong place, ulong count, long deadline)
    {
        if (count > MostDescriptors)
            return -Errno.Invalid;
        byte[] entries = new byte[count * EntrySize];
        if (!process.TryRead(place, entries))
            return -Errno.BadAddress;
        return process.Await(new Wait(TryFinish, deadline, Restarts: false));

        long? TryFinish()
        {
            long ready = 0;
            for (int i = 0; i < entries.Length; i += EntrySize)
            {
                Span<byte> entry = entries.AsSpan(i, EntrySize);
                Ready found = Of(process, BinaryPrimitives.ReadInt32LittleEndian(entry), (Ready)BinaryPrimitives.ReadInt16LittleEndian(entry[4..]));
                BinaryPrimitives.WriteInt16LittleEndian(entry[6..], (short)found);
                ready += found == Ready.None ? 0 : 1;
            }

            if (ready == 0 && !Wait.IsOver(deadline))
                return null;
            return process.Write(place, entries) is < 0 and long error ? error : ready;
        }
    }

    private static long Select(LinuxProcess process, in CallArguments call, long deadline)
    {
        if (call.A0 > MostDescriptors)
            return -Errno.Invalid;
        int count = (int)call.A0;
        ulong[] places = [call.A1, call.A2, call.A3];
        byte[][] asked = [.. places.Select(_ => new byte[(count + 63) / 64 * 8])];
        for (int set = 0; set < places.Length; set++)
        {
            if (places[set] != 0 && !process.TryRead(places[set], asked[set]))
                return -Errno.BadAddress;
        }

        for (int descriptor = 0; descriptor < count; descriptor++)
        {
            if (asked.Any(set => IsIn(set, descriptor)) && process.Files[descriptor] is null)
                return -Errno.BadFile;
        }

        return process.Await(new Wait(TryFinish, deadline, Restarts: false));

        long? TryFinish()
        {
            byte[][] found = [.. asked.Select(set => new byte[set.Length])];
            long ready = 0;
            for (int descriptor = 0; descriptor < count; descriptor++)
            {
                Ready state = Of(process, descriptor, Ready.In | Ready.Out);
                bool[] isReady = [(state & (Ready.In | Ready.HungUp)) != Ready.None, (state & (Ready.Out | Ready.Error)) != Ready.None, false];
                for (int set = 0; set < found.Length; set++)
                {
                    if (!isReady[set] || !IsIn(asked[set], descriptor))
                        continue;
                    found[set][descriptor / 8] |= (byte)(1 << (descriptor % 8));
                    ready++;
                }
            }

            if (ready == 0 && !Wait.IsOver(deadline))
                return null;
            for (int set = 0; set < found.Length; set++)
            {
                if (places[set] != 0 && process.Write(places[set], found[set]) is < 0 and long error)
                    return error;
            }

            return ready;
        }
    }

    private static bool IsIn(byte[] set, int descriptor) => (set[descriptor / 8] >> (descriptor % 8) & 1) != 0;

    private static Ready Of(LinuxProcess process, int descriptor, Ready asked)
    {
        if (descriptor < 0)
            return Ready.None;
        if (process.Files[descriptor] is not { } file)
            return Ready.Invalid;
        Ready state = (file.CanRead ? Ready.In : Ready.None) | (file.Room > 0 ? Ready.Out : Ready.None);
        return (state & asked) | (file.IsHungUp ? Ready.HungUp : Ready.None) | (file.IsBroken ? Ready.Error : Ready.None);
    }
}
