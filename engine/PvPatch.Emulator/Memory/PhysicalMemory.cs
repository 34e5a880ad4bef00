using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// A machine's RAM: native memory that starts as zeros, from guest physical address 0 on without holes. What is not RAM
/// is not here: an access outside throws <see cref="PhysicalAccessException"/>, or the Try form says no.
/// </summary>
public sealed unsafe class PhysicalMemory : IDisposable
{
    /// <summary>Bytes in a page.</summary>
    public const ulong PageSize = 4096;

    /// <summary>The least RAM a machine can have, in bytes: the first megabyte.</summary>
    public const ulong MinSize = 1ul << 20;

    /// <summary>The most RAM a machine can have, in bytes.</summary>
    public const ulong MaxSize = 64ul << 30;

    private readonly void* _allocation;
    private bool _disposed;

    /// <summary>Allocates RAM.</summary>
    /// <param name="size">Bytes: a multiple of <see cref="PageSize"/> from <see cref="MinSize"/> to <see cref="MaxSize"/>.</param>
    public PhysicalMemory(ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, MinSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaxSize);
        if (size % PageSize != 0) throw new ArgumentException($"The size of RAM, {size} bytes, is not a multiple of {PageSize}.", nameof(size));

        // SAFETY: a page more than asked is allocated, so that the aligned start leaves `size` bytes; calloc gives zeros
        // without touching the pages, so that unused RAM costs nothing.
        _allocation = NativeMemory.AllocZeroed((nuint)(size + PageSize));
        Base = (byte*)(((ulong)_allocation + PageSize - 1) & ~(PageSize - 1));
        Size = size;
    }

    /// <summary>Host address of guest physical address 0, aligned to a page.</summary>
    public byte* Base { get; }

    /// <summary>Bytes of RAM.</summary>
    public ulong Size { get; }

    /// <summary>Whether all of <paramref name="length"/> bytes from an address on are RAM.</summary>
    public bool Contains(ulong address, ulong length) => address < Size && length <= Size - address;

    /// <summary>Reads a value at a physical address, whatever its alignment.</summary>
    public T Read<T>(ulong address)
        where T : unmanaged
        => Unsafe.ReadUnaligned<T>(Pointer(address, (ulong)sizeof(T)));

    /// <summary>Writes a value at a physical address, whatever its alignment.</summary>
    public void Write<T>(ulong address, T value)
        where T : unmanaged
        => Unsafe.WriteUnaligned(Pointer(address, (ulong)sizeof(T)), value);

    /// <summary>Reads a value if all of it is RAM.</summary>
    public bool TryRead<T>(ulong address, out T value)
        where T : unmanaged
    {
        if (!Contains(address, (ulong)sizeof(T)))
        {
            value = default;
            return false;
        }

        value = Read<T>(address);
        return true;
    }

    /// <summary>Writes a value if all of it is RAM.</summary>
    public bool TryWrite<T>(ulong address, T value)
        where T : unmanaged
    {
        if (!Contains(address, (ulong)sizeof(T))) return false;
        Write(address, value);
        return true;
    }

    /// <summary>Bytes of RAM as a span.</summary>
    public Span<byte> Span(ulong address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new(Pointer(address, (ulong)length), length);
    }

    /// <summary>Host address of <paramref name="length"/> bytes of RAM. Good until this memory is disposed.</summary>
    public byte* Pointer(ulong address, ulong length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Contains(address, length)) throw new PhysicalAccessException(address, length, Size);

        // SAFETY: address + length lies inside the allocation, as just checked.
        return Base + address;
    }

    /// <summary>Frees the RAM; nothing may run on it any more.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        NativeMemory.Free(_allocation);
    }
}
