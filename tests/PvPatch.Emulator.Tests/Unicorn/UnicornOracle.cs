using System.Runtime.InteropServices;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Emulator.Tests.Unicorn;

/// <summary>Runs cases in Unicorn: QEMU's translator as a library, which knows nothing of this emulator.</summary>
internal sealed unsafe class UnicornOracle : IDisposable
{
    private const uint InvalidOpcode = 6;
    private const uint PageFault = 14;
    private const uint NoVector = uint.MaxValue;

    /// <summary>More than any case takes: one that goes on is wrong.</summary>
    private const int MostInstructions = 20_000;

    private const int Values = 64;

    /// <summary>What a case sets and what is read after it, but for FS and GS: general registers, RIP, flags, MXCSR, XMM.</summary>
    private static readonly int[] Registers =
    [
        .. UnicornLibrary.General, UnicornLibrary.Rip, UnicornLibrary.Flags, UnicornLibrary.Mxcsr,
        .. Enumerable.Range(UnicornLibrary.Xmm0, 16),
    ];

    private readonly nint _engine;
    private readonly uint* _vector;

    // Room for the registers' values, 16 bytes each, and the pointers to them.
    private readonly ulong* _values;
    private readonly void** _places;

    public UnicornOracle()
    {
        // SAFETY: Dispose releases them; each is as large as what is written to it.
        _vector = (uint*)NativeMemory.AllocZeroed(sizeof(uint));
        _values = (ulong*)NativeMemory.AllocZeroed(Values, 16);
        _places = (void**)NativeMemory.AllocZeroed(Values, (nuint)sizeof(void*));
        for (int i = 0; i < Values; i++)
            _places[i] = _values + (2 * i);
        nint engine;
        Check(UnicornLibrary.Open(UnicornLibrary.ArchitectureX86, UnicornLibrary.Mode64, &engine));
        _engine = engine;
        Check(UnicornLibrary.Control(engine, UnicornLibrary.SetCpuModel, UnicornLibrary.SkylakeClient, 0));
        Check(UnicornLibrary.Map(engine, CaseLayout.CodePage, 0x1000, UnicornLibrary.ReadWriteExecute));
        Check(UnicornLibrary.Map(engine, CaseLayout.DataPages, (nuint)CaseLayout.DataSize, UnicornLibrary.ReadWrite));
        byte[] breakpoints = new byte[0x1000];
        breakpoints.AsSpan().Fill(0xcc);
        WriteMemory(CaseLayout.CodePage, breakpoints);
        nuint hook;
        Check(UnicornLibrary.AddHook(engine, &hook, UnicornLibrary.InterruptHook, &Interrupted, _vector, 1, 0));
        WriteRegister(UnicornLibrary.Cr4, Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions | Cr4Bits.FsGsBase | Cr4Bits.OsXsave);
    }

    /// <summary>The library's version.</summary>
    public static Version Version
    {
        get
        {
            uint major;
            uint minor;
            _ = UnicornLibrary.Version(&major, &minor);
            return new Version((int)major, (int)minor);
        }
    }

    /// <summary>
    /// Runs a case. Of a fault only that there was one is sure: without page tables Unicorn has no page faults of its own. The x87 is
    /// not carried over.
    /// </summary>
    public MachineCase Run(MachineCase given)
    {
        Load(given);
        *_vector = NoVector;
        int error = UnicornLibrary.Start(_engine, given.Rip, ulong.MaxValue, 0, MostInstructions);
        MachineCase result = given.Clone();
        result.Vector = error switch
        {
            UnicornLibrary.Success when *_vector != NoVector => *_vector,
            UnicornLibrary.Success or UnicornLibrary.InvalidInstruction => InvalidOpcode,
            _ => PageFault,
        };
        Store(result);
        return result;
    }

    public void Dispose()
    {
        _ = UnicornLibrary.Close(_engine);
        // SAFETY: the constructor made them, and the engine that used them is gone.
        NativeMemory.Free(_vector);
        NativeMemory.Free(_values);
        NativeMemory.Free(_places);
    }

    [UnmanagedCallersOnly]
    private static void Interrupted(nint engine, uint vector, uint* last)
    {
        // SAFETY: the pointer is the one that was given with the hook.
        *last = vector;
        _ = UnicornLibrary.Stop(engine);
    }

    private static void Check(int error)
    {
        if (error != UnicornLibrary.Success)
            throw new InvalidOperationException($"Unicorn answers with error {error}");
    }

    private void Load(MachineCase given)
    {
        WriteMemory(CaseLayout.CodeStart, given.Code);
        Check(UnicornLibrary.Control(_engine, UnicornLibrary.RemoveCache, CaseLayout.CodePage, CaseLayout.CodePage + 0x1000));
        for (int i = 0; i < given.Memory.Length; i++)
            WriteMemory(CaseLayout.Windows[i].Address, given.Memory[i]);
        WriteRegister(UnicornLibrary.FsBase, CaseLayout.FsBase);
        WriteRegister(UnicornLibrary.GsBase, CaseLayout.GsBase);
        new Span<ulong>(_values, 2 * Values).Clear();
        int next = 0;
        foreach (ulong value in given.General)
            _values[2 * next++] = value;
        _values[2 * next++] = given.Rip;
        _values[2 * next++] = given.Flags | RFlags.Fixed | RFlags.InterruptEnable;
        _values[2 * next++] = given.Mxcsr;
        for (int i = 0; i < 16; i++, next++)
            (_values[2 * next], _values[(2 * next) + 1]) = (given.Xmm[2 * i], given.Xmm[(2 * i) + 1]);
        fixed (int* registers = Registers)
            Check(UnicornLibrary.WriteRegisters(_engine, registers, _places, Registers.Length));
    }

    private void Store(MachineCase result)
    {
        new Span<ulong>(_values, 2 * Values).Clear();
        fixed (int* registers = Registers)
            Check(UnicornLibrary.ReadRegisters(_engine, registers, _places, Registers.Length));
        int next = 0;
        for (int i = 0; i < 16; i++)
            result.General[i] = _values[2 * next++];
        result.Rip = _values[2 * next++];
        result.Flags = _values[2 * next++];
        result.Mxcsr = (uint)_values[2 * next++];
        for (int i = 0; i < 16; i++, next++)
            (result.Xmm[2 * i], result.Xmm[(2 * i) + 1]) = (_values[2 * next], _values[(2 * next) + 1]);
        for (int i = 0; i < result.Memory.Length; i++)
        {
            fixed (byte* bytes = result.Memory[i])
                Check(UnicornLibrary.Read(_engine, CaseLayout.Windows[i].Address, bytes, (nuint)result.Memory[i].Length));
        }
    }

    private void WriteMemory(ulong address, byte[] bytes)
    {
        fixed (byte* first = bytes)
            Check(UnicornLibrary.Write(_engine, address, first, (nuint)bytes.Length));
    }

    private void WriteRegister(int register, ulong value)
    {
        void* place = &value;
        Check(UnicornLibrary.WriteRegisters(_engine, &register, &place, 1));
    }
}
