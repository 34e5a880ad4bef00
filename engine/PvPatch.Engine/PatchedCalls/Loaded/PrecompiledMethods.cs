using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>
/// Which methods of a module have ReadyToRun code, made from the IL as it was when the module was published (dotnet/runtime,
/// docs/design/coreclr/botr/readytorun-format.md).
/// </summary>
internal sealed class PrecompiledMethods
{
    private const uint Signature = 0x00525452, IsComponent = 0x20; // "RTR"; part of a composite image, which has the table
    private const int MethodDefEntryPoints = 103;

    private static readonly ConditionalWeakTable<Module, PrecompiledMethods> Known = [];

    private readonly HashSet<int>? _rows = [];

    private PrecompiledMethods(Module module)
    {
        using var image = LoadedImage.Of(module.Assembly);
        DirectoryEntry header = image.Reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory;
        if (header.Size == 0)
            return;
        try
        {
            _rows = RowsIn(image, header);
        }
        catch (Exception e) when (e is PatchException || Damage.IsShownBy(e))
        {
            _rows = null; // any method may be one
        }
    }

    /// <summary>Whether a method of this module has precompiled code. Of generic ones any may have, where there is some at all.</summary>
    public static bool Has(MethodBase method)
    {
        PrecompiledMethods known = Known.GetValue(method.Module, m => new PrecompiledMethods(m));
        if (known._rows is not { } rows)
            return true;
        bool isGeneric = method.IsGenericMethod || method.DeclaringType is { IsGenericType: true };
        return isGeneric ? rows.Count > 0 : rows.Contains(method.MetadataToken & 0xFFFFFF);
    }

    /// <summary>Whether a module has any precompiled code.</summary>
    public static bool AreIn(Module module) => Known.GetValue(module, m => new PrecompiledMethods(m))._rows is not { Count: 0 };

    /// <summary>The rows of the methods that have an entry point; <see langword="null"/> if the image does not tell.</summary>
    private static HashSet<int>? RowsIn(LoadedImage image, DirectoryEntry directory)
    {
        ReadOnlySpan<byte> header = image.At(directory.RelativeVirtualAddress, directory.Size);
        const int Flags = 8, Sections = 12, FirstSection = 16, SectionSize = 12;
        if (BitConverter.ToUInt32(header) != Signature || (BitConverter.ToUInt32(header[Flags..]) & IsComponent) != 0)
            return null;
        for (int i = 0; i < BitConverter.ToInt32(header[Sections..]); i++)
        {
            ReadOnlySpan<byte> section = header.Slice(FirstSection + (SectionSize * i), SectionSize);
            if (BitConverter.ToInt32(section) == MethodDefEntryPoints)
                return new NativeArray(image.At(BitConverter.ToInt32(section[4..]), BitConverter.ToInt32(section[8..]))).Present();
        }

        return [];
    }

    /// <summary>The format's sparse array: a tree of 16 leaves for each 16 elements (src/coreclr/vm/nativeformatreader.h).</summary>
    private readonly ref struct NativeArray(ReadOnlySpan<byte> bytes)
    {
        private const int BlockSize = 16;

        private readonly ReadOnlySpan<byte> _bytes = bytes;

        /// <summary>The numbers of the elements that are there, the first being 1, as metadata counts rows.</summary>
        public HashSet<int> Present()
        {
            int start = Decode(0, out uint head);
            int count = (int)(head >> 2), width = 1 << (int)(head & 3);
            var present = new HashSet<int>();
            for (int index = 0; index < count; index++)
            {
                int at = start + (width * (index / BlockSize));
                int block = width switch { 1 => _bytes[at], 2 => BitConverter.ToUInt16(_bytes[at..]), _ => BitConverter.ToInt32(_bytes[at..]) };
                if (IsPresent(start + block, index % BlockSize))
                    present.Add(index + 1);
            }

            return present;
        }

        private bool IsPresent(int at, int index)
        {
            for (int bit = BlockSize >> 1; bit > 0; bit >>= 1)
            {
                int behind = Decode(at, out uint node);
                if ((index & bit) != 0 && (node & 2) != 0)
                    at += (int)(node >> 2); // the upper half
                else if ((index & bit) == 0 && (node & 1) != 0)
                    at = behind; // the lower half
                else
                    return (node & 3) == 0 && (node >> 2) == index; // the only leaf below
            }

            return true;
        }

        /// <summary>Reads a number whose lowest bits tell its length.</summary>
        /// <returns>The offset behind it.</returns>
        private int Decode(int at, out uint value)
        {
            int more = System.Numerics.BitOperations.TrailingZeroCount(~(uint)_bytes[at]); // bytes beside the first
            if (more > 3)
            {
                value = BitConverter.ToUInt32(_bytes[(at + 1)..]);
                return at + 5;
            }

            value = 0;
            for (int i = more; i >= 0; i--)
                value = (value << 8) | _bytes[at + i];
            value >>= more + 1;
            return at + more + 1;
        }
    }
}
