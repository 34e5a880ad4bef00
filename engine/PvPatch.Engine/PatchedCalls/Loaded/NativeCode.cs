using System.Buffers.Binary;
using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>The machine code that a call of a method runs at this moment. It is only read.</summary>
/// <remarks>
/// Before compiled code stands the address of its header, which names the method and tells the code's extent
/// (dotnet/runtime, src/coreclr/vm/codeman.h, <c>RealCodeHeader</c>). What does not name the very method is "cannot be told".
/// </remarks>
internal readonly unsafe struct NativeCode
{
    private const int JumpLength = 6, LongestHeader = 5, LongestCode = 1 << 20;

    private readonly byte* _start;
    private readonly int _length;

    private NativeCode(byte* start, int length)
    {
        _start = start;
        _length = length;
    }

    /// <summary>Address of the first byte.</summary>
    public nint Start => (nint)_start;

    /// <summary>Length in bytes.</summary>
    public int Length => _length;

    /// <summary>The present code of a method that is compiled; <see langword="null"/> where it cannot be told, as of precompiled code.</summary>
    /// <param name="method">The method.</param>
    /// <param name="map">The process's memory.</param>
    public static NativeCode? Of(MethodBase method, MemoryMap map)
    {
        nint code = MethodEntry.CodeOf(method);
        if (code == 0 || map.At(code) is not { CanRead: true } region || code - sizeof(nint) < region.Start)
            return null;

        // SAFETY: the word before the code lies in the same region, which can be read. What it leads to is read only
        // where the header would lie wholly in readable memory.
        nint* header = *(nint**)(code - sizeof(nint));
        int bytes = (LongestHeader + 2) * sizeof(nint);
        if ((nint)header % sizeof(nint) != 0 || map.At((nint)header) is not { CanRead: true } data || (nint)header + bytes > data.End)
            return null;
        for (int word = 1; word < LongestHeader; word++)
        {
            if (header[word] != method.MethodHandle.Value)
                continue;
            uint* unwind = (uint*)(header + word + 1); // their number; of the first, where the code begins and ends
            long length = (long)unwind[2] - unwind[1];
            return unwind[0] is > 0 and < 1000 && length is > 0 and < LongestCode && code + length <= region.End
                ? new NativeCode((byte*)code, (int)length)
                : null;
        }

        return null;
    }

    /// <summary>How many calls and jumps in the code go by the data slot of a method's entry, as all calls of methods that the runtime tiers do.</summary>
    /// <param name="slot">Address of the slot.</param>
    public int CallsBy(nint slot)
    {
        // SAFETY: the code's extent was read from its own header and checked to be mapped; code stays as long as its method,
        // whose assembly the caller holds.
        var code = new ReadOnlySpan<byte>(_start, _length);
        int calls = 0;
        for (int at = 0; at + JumpLength <= code.Length; at++)
        {
            bool isIndirect = code[at] == 0xFF && code[at + 1] is 0x15 or 0x25; // call or jmp [rip+disp32]
            if (isIndirect && (nint)_start + at + JumpLength + BinaryPrimitives.ReadInt32LittleEndian(code[(at + 2)..]) == slot)
                calls++;
        }

        return calls;
    }
}
