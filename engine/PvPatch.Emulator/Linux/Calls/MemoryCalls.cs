using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>brk, mmap and its kin (brk(2), mmap(2), mremap(2)).</summary>
internal static class MemoryCalls
{
    private const int MapShared = 1;
    private const int MapPrivate = 2;
    private const int MapTypeMask = 0xf;
    private const int MapFixed = 0x10;
    private const int MapAnonymous = 0x20;
    private const int MapFixedNoReplace = 0x10_0000;
    private const ulong RemapMayMove = 1;
    private const ulong RemapFixed = 2;
    private const int AdviceDontNeed = 4;

    public static long Brk(LinuxProcess process, in CallArguments call)
    {
        ulong wanted = call.A0;
        if (wanted < process.HeapStart || wanted > AddressSpace.MappingLimit)
            return (long)process.HeapEnd;
        AddressSpace space = process.Space;
        ulong before = AddressSpace.RoundUp(process.HeapEnd);
        ulong after = AddressSpace.RoundUp(wanted);
        if (after > before)
        {
            if (!space.IsFree(before, after - before))
                return (long)process.HeapEnd;
            space.Map(before, after - before, Protection.Read | Protection.Write);
        }
        else
        {
            space.Unmap(after, before - after);
        }

        process.HeapEnd = wanted;
        return (long)wanted;
    }

    public static long Mmap(LinuxProcess process, in CallArguments call)
    {
        ulong address = call.A0;
        ulong size = AddressSpace.RoundUp(call.A1);
        int flags = (int)call.A3;
        long file = (int)call.A4;
        ulong offset = call.A5;
        if (call.A1 == 0 || (offset & (AddressSpace.PageSize - 1)) != 0 || (flags & MapTypeMask) is not (MapShared or MapPrivate or (MapShared | MapPrivate)))
            return -Errno.Invalid;
        if (size < call.A1 || size > AddressSpace.End)
            return -Errno.NoMemory;
        bool isFixed = (flags & (MapFixed | MapFixedNoReplace)) != 0;
        if (isFixed && (address & (AddressSpace.PageSize - 1)) != 0)
            return -Errno.Invalid;
        if (isFixed && !AddressSpace.IsUserRange(address, size))
            return address < AddressSpace.End ? -Errno.NotPermitted : -Errno.NoMemory;
        AddressSpace space = process.Space;
        if ((flags & MapFixedNoReplace) != 0 && !space.IsFree(address, size))
            return -Errno.Exists;
        if (!isFixed)
        {
            address = AddressSpace.PageOf(address);
            bool hintIsGood = AddressSpace.IsUserRange(address, size) && address + size <= AddressSpace.MappingLimit && space.IsFree(address, size);
            address = hintIsGood ? address : space.FindHole(size);
        }

        if (address == 0)
            return -Errno.NoMemory;
        var protection = (Protection)(call.A2 & 7);
        if ((flags & MapAnonymous) == 0)
            return MapFile(process, file, new Mapping(address, size, protection, (flags & MapPrivate) == 0), offset);
        space.Map(address, size, protection, shared: (flags & MapPrivate) == 0);
        return (long)address;
    }

    public static long Munmap(LinuxProcess process, in CallArguments call)
    {
        ulong size = AddressSpace.RoundUp(call.A1);
        if ((call.A0 & (AddressSpace.PageSize - 1)) != 0 || size == 0 || call.A0 >= AddressSpace.End || size > AddressSpace.End - call.A0)
            return -Errno.Invalid;
        process.Space.Unmap(call.A0, size);
        return 0;
    }

    public static long Mprotect(LinuxProcess process, in CallArguments call)
    {
        ulong size = AddressSpace.RoundUp(call.A1);
        if ((call.A0 & (AddressSpace.PageSize - 1)) != 0 || (call.A2 & ~7ul) != 0)
            return -Errno.Invalid;
        if (call.A1 == 0)
            return 0;
        if (size < call.A1 || call.A0 >= AddressSpace.End || size > AddressSpace.End - call.A0 || !process.Space.Covers(call.A0, size))
            return -Errno.NoMemory;
        process.Space.Protect(call.A0, size, (Protection)call.A2);
        return 0;
    }

    public static long Mremap(LinuxProcess process, in CallArguments call)
    {
        ulong address = call.A0;
        ulong before = AddressSpace.RoundUp(call.A1);
        ulong after = AddressSpace.RoundUp(call.A2);
        AddressSpace space = process.Space;
        if ((address & (AddressSpace.PageSize - 1)) != 0 || after == 0 || before == 0 || (call.A3 & ~(RemapMayMove | RemapFixed)) != 0)
            return -Errno.Invalid;
        if (after > AddressSpace.End)
            return -Errno.NoMemory;
        if (address >= AddressSpace.End || before > AddressSpace.End - address || !space.Covers(address, before))
            return -Errno.BadAddress;
        bool isFixed = (call.A3 & RemapFixed) != 0;
        if (isFixed && !MayMoveTo(call.A4, after, address, before, call.A3))
            return -Errno.Invalid;
        if (after <= before)
        {
            space.Unmap(address + after, before - after);
            if (!isFixed)
                return (long)address;
            before = after;
        }

        if (!isFixed && AddressSpace.IsUserRange(address, after) && address + after <= AddressSpace.MappingLimit && space.IsFree(address + before, after - before))
        {
            space.MapLike(address, address + before, after - before);
            return (long)address;
        }

        ulong target = isFixed ? call.A4 : (call.A3 & RemapMayMove) != 0 ? space.FindHole(after) : 0;
        if (isFixed)
            space.Unmap(target, after);
        if (target == 0 || !space.TryMove(address, before, target))
            return -Errno.NoMemory;
        if (after > before)
            space.MapLike(target, target + before, after - before);
        return (long)target;
    }

    /// <summary>Whether MREMAP_FIXED may name a place: with MREMAP_MAYMOVE, and apart from the old one (mremap(2), EINVAL).</summary>
    private static bool MayMoveTo(ulong target, ulong size, ulong address, ulong before, ulong flags) =>
        (flags & RemapMayMove) != 0 && (target & (AddressSpace.PageSize - 1)) == 0 && AddressSpace.IsUserRange(target, size) &&
        (target + size <= address || address + before <= target);

    /// <summary>madvise(2): MADV_DONTNEED makes zeros, everything else is a hint.</summary>
    public static long Madvise(LinuxProcess process, in CallArguments call)
    {
        ulong size = AddressSpace.RoundUp(call.A1);
        AddressSpace space = process.Space;
        if ((call.A0 & (AddressSpace.PageSize - 1)) != 0)
            return -Errno.Invalid;
        if (call.A0 >= AddressSpace.End || size > AddressSpace.End - call.A0 || (size > 0 && !space.Covers(call.A0, size)))
            return -Errno.NoMemory;
        if (call.A2 == AdviceDontNeed)
            space.Clear(call.A0, size);
        return 0;
    }

    /// <summary>A file's bytes as they are now; a shared mapping that may be written is refused.</summary>
    private static long MapFile(LinuxProcess process, long descriptor, Mapping mapping, ulong offset)
    {
        if (process.Files[descriptor] is not { } file)
            return -Errno.BadFile;
        if (file is not HostFile || (mapping.Shared && (mapping.Protection & Protection.Write) != Protection.None))
            return -Errno.NoDevice;
        AddressSpace space = process.Space;
        space.Map(mapping.Address, mapping.Size, mapping.Protection);
        byte[] page = new byte[AddressSpace.PageSize];
        return LinuxProcess.Try(() =>
        {
            for (ulong done = 0; done < mapping.Size; done += AddressSpace.PageSize)
            {
                int read = file.ReadAt(page, (long)(offset + done));
                if (read <= 0)
                    break;
                if (!space.TryLoad(mapping.Address + done, page.AsSpan(0, read)))
                    return -Errno.NoMemory;
            }

            return (long)mapping.Address;
        });
    }

    private readonly record struct Mapping(ulong Address, ulong Size, Protection Protection, bool Shared);
}
