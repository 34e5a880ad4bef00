using System.Buffers.Binary;
using System.Text;

namespace PvPatch.Emulator.Linux.Files;

/// <summary>A folder of the host, whose names are read as getdents64(2) gives them.</summary>
/// <param name="path">Its path.</param>
/// <param name="flags">The flags it was opened with.</param>
internal sealed class HostFolder(string path, int flags) : OpenFile(flags)
{
    private const int NameOffset = 19;

    private List<string>? _names;
    private int _next;

    public override string Path => path;

    public override FileStatus? Status(out int error) => FileStatus.Of(path, followLinks: true, out error);

    /// <summary>A folder's place is the number of the next entry; only its start can be gone back to.</summary>
    public override long Seek(long offset, SeekOrigin origin)
    {
        if (origin != SeekOrigin.Begin || offset is < 0 or > int.MaxValue)
            throw new ArgumentException("A folder is read from its start.", nameof(offset));
        if (offset == 0)
            _names = null;
        _next = (int)offset;
        return offset;
    }

    /// <summary>Fills entries into a buffer; 0 at the end, a negative error if not one fits.</summary>
    public int ReadEntries(Span<byte> buffer)
    {
        _names ??= [".", "..", .. Directory.EnumerateFileSystemEntries(path).Select(entry => System.IO.Path.GetFileName(entry))];
        int used = 0;
        for (; _next < _names.Count; _next++)
        {
            int taken = Write(buffer[used..], _names[_next], _next + 1);
            if (taken == 0)
                return used > 0 ? used : -Errno.Invalid;
            used += taken;
        }

        return used;
    }

    private int Write(Span<byte> buffer, string name, int next)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int size = (NameOffset + bytes.Length + 1 + 7) & ~7;
        if (size > buffer.Length)
            return 0;
        FileStatus? status = FileStatus.Of(System.IO.Path.Combine(path, name), followLinks: false, out _);
        buffer[..size].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, status?.Inode ?? 1);
        BinaryPrimitives.WriteInt64LittleEndian(buffer[8..], next);
        BinaryPrimitives.WriteUInt16LittleEndian(buffer[16..], (ushort)size);
        buffer[18] = (byte)((status?.Mode ?? 0) >> 12);
        bytes.CopyTo(buffer[NameOffset..]);
        return size;
    }
}
