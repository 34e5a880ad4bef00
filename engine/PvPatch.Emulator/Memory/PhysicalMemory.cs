using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// A machine's physical address space: RAM from address 0 on, and what else is put into it: more RAM, ROM, devices.
/// Memory is native and starts as zeros. The methods that read and write here reach RAM alone: an access outside throws
/// <see cref="PhysicalAccessException"/>, or the Try form says no.
/// </summary>
public sealed unsafe class PhysicalMemory : IDisposable
{
    /// <summary>Bytes in a page.</summary>
    public const ulong PageSize = 4096;

    /// <summary>The least RAM a machine can have, in bytes: the first megabyte.</summary>
    public const ulong MinSize = 1ul << 20;

    /// <summary>The most bytes that one region of RAM can have.</summary>
    public const ulong MaxSize = 64ul << 30;

    private readonly GCHandle _handle;
    private MemoryRegion[] _regions = [];
    private bool _disposed;

    /// <summary>Allocates the RAM that starts at address 0.</summary>
    /// <param name="size">Bytes: a multiple of <see cref="PageSize"/> from <see cref="MinSize"/> to <see cref="MaxSize"/>.</param>
    public PhysicalMemory(ulong size)
    {
        if (size < MinSize) throw new ArgumentOutOfRangeException(nameof(size), size, $"RAM has {MinSize} bytes or more.");
        AddRam(0, size);
        Base = (byte*)_regions[0].Host;
        Size = size;
        _handle = GCHandle.Alloc(this, GCHandleType.Weak);
    }

    /// <summary>Host address of guest physical address 0, aligned to a page.</summary>
    public byte* Base { get; }

    /// <summary>Bytes of RAM from address 0 on, up to the first hole.</summary>
    public ulong Size { get; }

    /// <summary>All regions by address.</summary>
    public IReadOnlyList<MemoryRegion> Regions => _regions;

    /// <summary>Called for each access that nothing answers; null: none is reported.</summary>
    internal Action<UnclaimedAccess>? Unclaimed { get; set; }

    /// <summary>The notes on decoded code that writes made here must reach; null while no code is executed.</summary>
    internal CodePageMap* CodePages { get; set; }

    /// <summary>What <see cref="CpuState.Memory"/> holds.</summary>
    internal nint Handle => GCHandle.ToIntPtr(_handle);

    /// <summary>The physical address behind the last byte of RAM or ROM.</summary>
    internal ulong Top => _regions.Last(region => region.Kind != RegionKind.Device).End;

    /// <summary>The memory a CPU's state belongs to; null for a CPU that has low RAM alone.</summary>
    internal static PhysicalMemory? Of(CpuState* cpu) => cpu->Memory == 0 ? null : (PhysicalMemory?)GCHandle.FromIntPtr(cpu->Memory).Target;

    /// <summary>Adds RAM, for example from 4 GB on.</summary>
    /// <param name="address">Physical address, a multiple of <see cref="PageSize"/>.</param>
    /// <param name="size">Bytes: a multiple of <see cref="PageSize"/> up to <see cref="MaxSize"/>.</param>
    public void AddRam(ulong address, ulong size) => AddPages(address, size, RegionKind.Ram);

    /// <summary>Adds ROM, filled up to whole pages with ones.</summary>
    /// <param name="address">Physical address, a multiple of <see cref="PageSize"/>.</param>
    /// <param name="content">What it holds.</param>
    public void AddRom(ulong address, ReadOnlySpan<byte> content)
    {
        ulong size = ((ulong)content.Length + PageSize - 1) & ~(PageSize - 1);
        MemoryRegion region = AddPages(address, size, RegionKind.Rom);

        // SAFETY: the region has just been allocated with size bytes, which content does not exceed.
        var target = new Span<byte>((void*)region.Host, checked((int)size));
        target.Fill(0xff);
        content.CopyTo(target);
    }

    /// <summary>Adds a device. Its region may not share a page with RAM or ROM.</summary>
    /// <param name="address">Physical address.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="device">The device.</param>
    public void AddDevice(ulong address, ulong size, IMemoryDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfZero(size);
        Add(new MemoryRegion(address, size, RegionKind.Device) { Device = device });
    }

    /// <summary>Whether all of <paramref name="length"/> bytes from an address on are RAM.</summary>
    public bool Contains(ulong address, ulong length) => HostOf(address, length, forWrite: true) != null;

    /// <summary>Reads a value at a physical address, whatever its alignment.</summary>
    public T Read<T>(ulong address)
        where T : unmanaged
        => Unsafe.ReadUnaligned<T>(Pointer(address, (ulong)sizeof(T)));

    /// <summary>Writes a value at a physical address, whatever its alignment.</summary>
    public void Write<T>(ulong address, T value)
        where T : unmanaged
        => Write(address, new ReadOnlySpan<byte>(&value, sizeof(T)));

    /// <summary>Writes bytes at a physical address.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Span(address, bytes.Length));
        Written(address, (ulong)bytes.Length);
    }

    /// <summary>Reads a value if all of it is RAM.</summary>
    public bool TryRead<T>(ulong address, out T value)
        where T : unmanaged
    {
        bool there = Contains(address, (ulong)sizeof(T));
        value = there ? Read<T>(address) : default;
        return there;
    }

    /// <summary>Writes a value if all of it is RAM.</summary>
    public bool TryWrite<T>(ulong address, T value)
        where T : unmanaged
    {
        if (!Contains(address, (ulong)sizeof(T))) return false;
        Write(address, value);
        return true;
    }

    /// <summary>Bytes of RAM as a span. Who changes code through it tells <see cref="Written"/>.</summary>
    public Span<byte> Span(ulong address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new(Pointer(address, (ulong)length), length);
    }

    /// <summary>
    /// Host address of <paramref name="length"/> bytes of RAM. Good until this memory is disposed. Who changes code through
    /// it tells <see cref="Written"/>.
    /// </summary>
    public byte* Pointer(ulong address, ulong length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        byte* host = HostOf(address, length, forWrite: true);
        return host != null || length == 0 && address == Size ? host : throw new PhysicalAccessException(address, length, Size);
    }

    /// <summary>RAM was changed through a span or pointer: vCPUs that decoded code from there decode it anew.</summary>
    public void Written(ulong address, ulong length)
    {
        if (CodePages != null) Memory.CodePages.Written(CodePages, address, length);
    }

    /// <summary>Frees the memory; nothing may run on it any more.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _handle.Free();

        foreach (MemoryRegion region in _regions)
        {
            // SAFETY: AddPages made the block; a device has none.
            NativeMemory.Free((void*)region.Block);
        }
    }

    /// <summary>Host address of bytes that all lie in one region of RAM, or of ROM if they are only read; else null.</summary>
    internal byte* HostOf(ulong address, ulong length, bool forWrite)
    {
        MemoryRegion? region = RegionAt(address);
        bool reachable = region != null && region.Kind == RegionKind.Ram || (region?.Kind == RegionKind.Rom && !forWrite);

        // SAFETY: address lies in the region, and so do the length bytes behind it, as checked.
        return reachable && length <= region!.End - address ? (byte*)region.Host + (address - region.Start) : null;
    }

    /// <summary>Reads up to a page of bytes wherever they are.</summary>
    internal void ReadAnywhere(ulong address, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            MemoryRegion? region = RegionAt(address);
            int size = PieceOf(region, address, target.Length);
            if (region?.Device is { } device)
            {
                ulong value = device.Read(address - region.Start, size);
                new ReadOnlySpan<byte>(&value, size).CopyTo(target);
            }
            else if (region != null)
            {
                // SAFETY: PieceOf keeps the piece in the region.
                new ReadOnlySpan<byte>((byte*)region.Host + (address - region.Start), size).CopyTo(target);
            }
            else
            {
                target[..size].Fill(0xff);
                Unclaimed?.Invoke(new UnclaimedAccess(address, size, IsWrite: false, 0, InRom: false));
            }

            address += (uint)size;
            target = target[size..];
        }
    }

    /// <summary>Writes up to a page of bytes wherever they go, but for RAM, which the caller reaches itself.</summary>
    internal void WriteAnywhere(ulong address, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            MemoryRegion? region = RegionAt(address);
            int size = PieceOf(region, address, source.Length);
            ulong value = 0;
            source[..size].CopyTo(new Span<byte>(&value, sizeof(ulong)));
            if (region?.Device is { } device) device.Write(address - region.Start, size, value);
            else Unclaimed?.Invoke(new UnclaimedAccess(address, size, IsWrite: true, value, InRom: region != null));
            address += (uint)size;
            source = source[size..];
        }
    }

    /// <summary>How many bytes of an access go to a region, or to the gap before the next one, in one piece.</summary>
    private int PieceOf(MemoryRegion? region, ulong address, int size)
    {
        ulong end = region?.End ?? _regions.FirstOrDefault(next => next.Start > address)?.Start ?? ulong.MaxValue;
        return (int)Math.Min((ulong)Math.Min(size, sizeof(ulong)), end - address);
    }

    private MemoryRegion? RegionAt(ulong address)
    {
        foreach (MemoryRegion region in _regions)
        {
            if (region.Contains(address)) return region;
        }

        return null;
    }

    private MemoryRegion AddPages(ulong address, ulong size, RegionKind kind)
    {
        if (size is 0 or > MaxSize) throw new ArgumentOutOfRangeException(nameof(size), size, $"A memory region has 1 to {MaxSize} bytes.");
        if (size % PageSize != 0) throw new ArgumentException($"The size of a memory region, {size} bytes, is not a multiple of {PageSize}.", nameof(size));
        if (address % PageSize != 0) throw new ArgumentException($"The address of a memory region, 0x{address:x}, is not a multiple of {PageSize}.", nameof(address));
        CheckFree(address, size, kind);

        // SAFETY: a page more than asked is allocated, so that the aligned start leaves `size` bytes; calloc gives zeros
        // without touching the pages, so that unused RAM costs nothing. Dispose frees it.
        var block = (nuint)NativeMemory.AllocZeroed((nuint)(size + PageSize));
        var region = new MemoryRegion(address, size, kind) { Block = block, Host = (block + (nuint)PageSize - 1) & ~((nuint)PageSize - 1) };
        Add(region);
        return region;
    }

    private void Add(MemoryRegion region)
    {
        CheckFree(region.Start, region.Size, region.Kind);
        MemoryRegion[] regions = [.. _regions, region];
        Array.Sort(regions, (a, b) => a.Start.CompareTo(b.Start));
        _regions = regions;
    }

    private void CheckFree(ulong start, ulong size, RegionKind kind)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        const ulong Limit = 1ul << PageTableEntry.PhysicalAddressBits;
        if (start >= Limit || size > Limit - start)
            throw new ArgumentException($"0x{size:x} bytes at 0x{start:x} lie beyond the {PageTableEntry.PhysicalAddressBits} bits of physical addresses.", nameof(start));
        foreach (MemoryRegion other in _regions)
        {
            // Between devices bytes count, else whole pages: a page is either memory or not.
            ulong mask = kind == RegionKind.Device && other.Kind == RegionKind.Device ? ulong.MaxValue : ~(PageSize - 1);
            if ((start & mask) < other.End && (other.Start & mask) < start + size)
                throw new ArgumentException($"0x{size:x} bytes at 0x{start:x} overlap the {other.Kind} at 0x{other.Start:x} to 0x{other.End - 1:x}.", nameof(start));
        }
    }
}
