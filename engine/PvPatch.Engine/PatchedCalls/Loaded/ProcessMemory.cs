using Microsoft.Win32.SafeHandles;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>
/// The process's own memory, read by the system (proc(5), <c>/proc/pid/mem</c>): what another thread unmaps meanwhile is an
/// error and no crash. Pages of which little is read are kept, for what lies near: so they are as they were at first.
/// </summary>
internal sealed class ProcessMemory : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle("/proc/self/mem");
    private readonly Dictionary<nint, byte[]> _pages = [];

    /// <summary>Reads memory.</summary>
    /// <param name="start">The first address.</param>
    /// <param name="bytes">What was read.</param>
    /// <returns>Whether all of it could be read.</returns>
    public bool TryRead(nint start, Span<byte> bytes)
    {
        if (bytes.Length >= Environment.SystemPageSize)
            return TryReadNow(start, bytes);
        while (bytes.Length > 0)
        {
            nint offset = start & (Environment.SystemPageSize - 1);
            if (PageAt(start - offset) is not { Length: > 0 } page)
                return false;
            int count = Math.Min(bytes.Length, page.Length - (int)offset);
            page.AsSpan((int)offset, count).CopyTo(bytes);
            bytes = bytes[count..];
            start += count;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private byte[] PageAt(nint start)
    {
        if (_pages.TryGetValue(start, out byte[]? page))
            return page;
        page = new byte[Environment.SystemPageSize];
        return _pages[start] = TryReadNow(start, page) ? page : [];
    }

    private bool TryReadNow(nint start, Span<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                int count = RandomAccess.Read(_file, bytes, start);
                if (count == 0)
                    return false;
                bytes = bytes[count..];
                start += count;
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
