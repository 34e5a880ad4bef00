using Microsoft.Win32.SafeHandles;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>The process's own memory, read by the system (proc(5), <c>/proc/pid/mem</c>): what another thread unmaps meanwhile is an error and no crash.</summary>
internal sealed class ProcessMemory : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle("/proc/self/mem");

    /// <summary>Reads memory.</summary>
    /// <param name="start">The first address.</param>
    /// <param name="bytes">What was read.</param>
    /// <returns>Whether all of it could be read.</returns>
    public bool TryRead(nint start, Span<byte> bytes)
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

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
