using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>read, write and their kin (read(2), readv(2), pread(2), sendfile(2), lseek(2)).</summary>
internal static class TransferCalls
{
    private const ulong MostBytes = 0x7fff_f000;
    private const int MostVectors = 1024;
    private const int CopyPiece = 1 << 16;

    private delegate int Reader(Span<byte> target);

    private delegate void Writer(ReadOnlySpan<byte> source);

    public static long Read(LinuxProcess process, in CallArguments call)
    {
        (ulong address, ulong size) = (call.A1, call.A2);
        return process.Files[call.Descriptor] is { } file ? WhenReadable(process, file, () => Fill(process, address, size, file.Read)) : -Errno.BadFile;
    }

    public static long Write(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file ? WriteAll(process, file, call.A1, call.A2) : -Errno.BadFile;

    public static long Pread(LinuxProcess process, in CallArguments call)
    {
        long offset = (long)call.A3;
        if (offset < 0)
            return -Errno.Invalid;
        return process.Files[call.Descriptor] is { } file
            ? Fill(process, call.A1, call.A2, target => Advance(ref offset, file.ReadAt(target, offset)))
            : -Errno.BadFile;
    }

    public static long Pwrite(LinuxProcess process, in CallArguments call)
    {
        long offset = (long)call.A3;
        if (offset < 0)
            return -Errno.Invalid;
        return process.Files[call.Descriptor] is { } file
            ? Drain(process, call.A1, call.A2, source =>
            {
                file.WriteAt(source, offset);
                Advance(ref offset, source.Length);
            })
            : -Errno.BadFile;
    }

    public static long Readv(LinuxProcess process, in CallArguments call)
    {
        CallArguments vectors = call;
        return process.Files[call.Descriptor] is { } file
            ? WhenReadable(process, file, () => ForEachVector(process, vectors, (address, size) => Fill(process, address, size, file.Read)))
            : -Errno.BadFile;
    }

    /// <summary>To a pipe that is too full it writes what there is room for, as a write without O_NONBLOCK seldom does.</summary>
    public static long Writev(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        CallArguments vectors = call;
        long Transfer() => ForEachVector(process, vectors, (address, size) => Drain(process, address, Math.Min(size, (ulong)file.Room), file.Write));
        if (file.Room > 0)
            return Transfer();
        return IsNonBlocking(file) ? -Errno.Again : process.Await(new Wait(() => file.Room > 0 ? Transfer() : null));
    }

    public static long Lseek(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        long offset = (long)call.A1;
        if (call.A2 > 2)
            return -Errno.Invalid;
        var origin = (SeekOrigin)call.A2;
        return LinuxProcess.Try(() => file.Seek(offset, origin));
    }

    /// <summary>sendfile(2), from the source's place or from one of its own.</summary>
    public static long Sendfile(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } target || process.Files[(int)call.A1] is not { } source)
            return -Errno.BadFile;
        ulong offset = 0;
        ulong place = call.A2;
        if (place != 0 && !process.TryRead64(place, out offset))
            return -Errno.BadAddress;
        byte[] piece = new byte[CopyPiece];
        int wanted = (int)Math.Min(call.A3, CopyPiece);
        return process.Await(new Wait(() => source.CanRead && target.Room > 0 ? Copy() : null));

        long Copy() => SignalBrokenPipe(process, LinuxProcess.Try(() =>
        {
            Span<byte> room = piece.AsSpan(0, Math.Min(wanted, target.Room));
            int read = place == 0 ? source.Read(room) : source.ReadAt(room, (long)offset);
            target.Write(room[..read]);
            return place == 0 || process.Write64(place, offset + (ulong)read) == 0 ? read : -Errno.BadAddress;
        }));
    }

    private static bool IsNonBlocking(OpenFile file) => (file.Flags & OpenFlags.NonBlocking) != 0;

    private static long WhenReadable(LinuxProcess process, OpenFile file, Func<long> transfer)
    {
        if (!file.CanRead && IsNonBlocking(file))
            return -Errno.Again;
        return process.Await(new Wait(() => file.CanRead ? transfer() : null));
    }

    /// <summary>Writes until everything is written; up to PIPE_BUF bytes go at once (pipe(7)).</summary>
    private static long WriteAll(LinuxProcess process, OpenFile file, ulong address, ulong size)
    {
        const ulong AtOnce = 4096;
        ulong done = 0;
        if (size == 0)
            return Drain(process, address, size, file.Write);
        return TryFinish() ?? (IsNonBlocking(file) ? Partly() ?? -Errno.Again : process.Await(new Wait(TryFinish) { GiveUp = Partly }));

        long? Partly() => done > 0 ? (long)done : null;

        long? TryFinish()
        {
            while (done < size)
            {
                ulong room = (ulong)file.Room;
                if (room < (size <= AtOnce ? size : 1))
                    return null;
                long written = Drain(process, address + done, Math.Min(size - done, room), file.Write);
                if (written < 0)
                    return Partly() ?? written;
                done += (ulong)written;
                if (written == 0)
                    break;
            }

            return (long)done;
        }
    }

    private static int Advance(ref long offset, int count)
    {
        offset += count;
        return count;
    }

    private static long ForEachVector(LinuxProcess process, in CallArguments call, Func<ulong, ulong, long> transfer)
    {
        if (call.A2 > MostVectors)
            return -Errno.Invalid;
        long total = 0;
        for (ulong i = 0; i < call.A2; i++)
        {
            ulong place = call.A1 + (i * 16);
            if (!process.TryRead64(place, out ulong address) || !process.TryRead64(place + 8, out ulong size))
                return total > 0 ? total : -Errno.BadAddress;
            long done = transfer(address, size);
            if (done < 0)
                return total > 0 ? total : done;
            total += done;
            if ((ulong)done < size)
                break;
        }

        return total;
    }

    /// <summary>Reads into memory, page by page; stops where less came than asked for.</summary>
    private static long Fill(LinuxProcess process, ulong address, ulong size, Reader read)
    {
        size = Math.Min(size, MostBytes);
        long total = 0;
        long result = LinuxProcess.Try(() =>
        {
            // A read of nothing still tells whether the file can be read.
            if (size == 0)
                return read([]);
            while ((ulong)total < size)
            {
                if (!process.Space.TryReach(address + (ulong)total, 1, Protection.Write))
                    return -Errno.BadAddress;
                Span<byte> piece = process.Space.BytesAt(address + (ulong)total, (int)(size - (ulong)total));
                int count = read(piece);
                if (count > 0)
                    process.Space.NoteWritten(address + (ulong)total, count);
                total += count;
                if (count < piece.Length)
                    break;
            }

            return total;
        });
        return total > 0 ? total : result;
    }

    private static long Drain(LinuxProcess process, ulong address, ulong size, Writer write)
    {
        size = Math.Min(size, MostBytes);
        long total = 0;
        long result = LinuxProcess.Try(() =>
        {
            if (size == 0)
                write([]);
            while ((ulong)total < size)
            {
                if (!process.Space.TryReach(address + (ulong)total, 1, Protection.Read))
                    return -Errno.BadAddress;
                Span<byte> piece = process.Space.BytesAt(address + (ulong)total, (int)(size - (ulong)total));
                write(piece);
                total += piece.Length;
            }

            return total;
        });
        return total > 0 ? total : SignalBrokenPipe(process, result);
    }

    /// <summary>A write to a pipe without a reader sends SIGPIPE (pipe(7)).</summary>
    private static long SignalBrokenPipe(LinuxProcess process, long result)
    {
        if (result == -Errno.BrokenPipe)
            SignalDelivery.Send(process, Signal.Pipe);
        return result;
    }
}
