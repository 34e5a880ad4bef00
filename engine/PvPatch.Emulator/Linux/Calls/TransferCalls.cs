using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>read, write and their kin (read(2), readv(2), pread(2), sendfile(2), lseek(2), poll(2)).</summary>
internal static class TransferCalls
{
    private const ulong MostBytes = 0x7fff_f000;
    private const int MostVectors = 1024;
    private const int PollDescriptorSize = 8;
    private const int PollIn = 1;
    private const int PollOut = 4;
    private const int PollInvalid = 0x20;
    private const int CopyPiece = 1 << 16;

    private delegate int Reader(Span<byte> target);

    private delegate void Writer(ReadOnlySpan<byte> source);

    public static long Read(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file ? Fill(process, call.A1, call.A2, file.Read) : -Errno.BadFile;

    public static long Write(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file ? Drain(process, call.A1, call.A2, file.Write) : -Errno.BadFile;

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

    public static long Readv(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file
            ? ForEachVector(process, call, (address, size) => Fill(process, address, size, file.Read))
            : -Errno.BadFile;

    public static long Writev(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file
            ? ForEachVector(process, call, (address, size) => Drain(process, address, size, file.Write))
            : -Errno.BadFile;

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

    public static long Sendfile(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } target || process.Files[(int)call.A1] is not { } source)
            return -Errno.BadFile;
        if (call.A2 != 0)
            return -Errno.Invalid;                       // an offset of its own: callers then copy by themselves
        byte[] piece = new byte[CopyPiece];
        int wanted = (int)Math.Min(call.A3, CopyPiece);
        return SignalBrokenPipe(process, LinuxProcess.Try(() =>
        {
            int read = source.Read(piece.AsSpan(0, wanted));
            target.Write(piece.AsSpan(0, read));
            return read;
        }));
    }

    /// <summary>Every open file is ready; without one to look at, poll waits as long as it was asked to.</summary>
    public static long Poll(LinuxProcess process, in CallArguments call)
    {
        if (call.A1 > FileTable.MostDescriptors)
            return -Errno.Invalid;
        Span<byte> entry = stackalloc byte[PollDescriptorSize];
        long ready = 0;
        for (ulong i = 0; i < call.A1; i++)
        {
            ulong place = call.A0 + (i * PollDescriptorSize);
            if (!process.TryRead(place, entry))
                return -Errno.BadAddress;
            int descriptor = BinaryPrimitives.ReadInt32LittleEndian(entry);
            int asked = BinaryPrimitives.ReadInt16LittleEndian(entry[4..]);
            int found = descriptor < 0 ? 0 : process.Files[descriptor] is null ? PollInvalid : asked & (PollIn | PollOut);
            BinaryPrimitives.WriteInt16LittleEndian(entry[6..], (short)found);
            if (process.Write(place, entry) is < 0 and long error)
                return error;
            ready += found != 0 ? 1 : 0;
        }

        int milliseconds = (int)call.A2;
        if (ready == 0 && milliseconds != 0)
            process.Cancellation.WaitHandle.WaitOne(milliseconds < 0 ? Timeout.Infinite : milliseconds);
        return ready;
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

    /// <summary>A write to a pipe without a reader ends a program that does not say otherwise (SIGPIPE, pipe(7)).</summary>
    private static long SignalBrokenPipe(LinuxProcess process, long result)
    {
        bool ends = result == -Errno.BrokenPipe && !process.Signals.IsQuiet(Signal.Pipe) && !process.Signals.HasHandler(Signal.Pipe);
        if (ends)
            process.End = new ProgramEnd.Signalled(Signal.Pipe);
        return result;
    }
}
