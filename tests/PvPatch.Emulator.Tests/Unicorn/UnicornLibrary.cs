using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Tests.Unicorn;

/// <summary>The functions of Unicorn 2 that the oracle needs, and the numbers that its headers give to registers and results.</summary>
internal static unsafe partial class UnicornLibrary
{
    public const int Success = 0;

    /// <summary>UC_ERR_INSN_INVALID.</summary>
    public const int InvalidInstruction = 10;

    public const int ArchitectureX86 = 4;
    public const int Mode64 = 8;
    public const uint ReadWrite = 3;
    public const uint ReadWriteExecute = 7;

    /// <summary>UC_HOOK_INTR: interrupts and exceptions but page faults and undefined instructions.</summary>
    public const int InterruptHook = 1;

    /// <summary>UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1).</summary>
    public const uint SetCpuModel = 0x4400_0007;

    /// <summary>UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2): forgets what was translated between two addresses.</summary>
    public const uint RemoveCache = 0x4800_0009;

    /// <summary>UC_CPU_X86_SKYLAKE_CLIENT: the model with most of what Unicorn's translator can do.</summary>
    public const int SkylakeClient = 21;

    // UC_X86_REG_*
    public const int Flags = 25;
    public const int Rip = 41;
    public const int Cr4 = 54;
    public const int Xmm0 = 122;
    public const int Mxcsr = 249;
    public const int FsBase = 250;
    public const int GsBase = 251;

    private const string Name = "libunicorn.so.2";

    /// <summary>UC_X86_REG_RAX to UC_X86_REG_R15, in the order of the processor's numbers.</summary>
    public static readonly int[] General = [35, 38, 40, 37, 44, 36, 43, 39, 106, 107, 108, 109, 110, 111, 112, 113];

    /// <summary>Whether the host has it.</summary>
    public static bool IsInstalled() => NativeLibrary.TryLoad(Name, out _);

    [LibraryImport(Name, EntryPoint = "uc_version")]
    public static partial uint Version(uint* major, uint* minor);

    [LibraryImport(Name, EntryPoint = "uc_open")]
    public static partial int Open(int architecture, int mode, nint* engine);

    [LibraryImport(Name, EntryPoint = "uc_close")]
    public static partial int Close(nint engine);

    // SAFETY: uc_ctl and uc_hook_add take further arguments behind these, which these uses have not; whole numbers are passed to
    // variadic functions as to others on the systems that have a library of this name.
    [LibraryImport(Name, EntryPoint = "uc_ctl")]
    public static partial int Control(nint engine, uint control, ulong first, ulong second);

    [LibraryImport(Name, EntryPoint = "uc_hook_add")]
    public static partial int AddHook(nint engine, nuint* hook, int type, delegate* unmanaged<nint, uint, uint*, void> callback, uint* data, ulong begin, ulong end);

    [LibraryImport(Name, EntryPoint = "uc_mem_map")]
    public static partial int Map(nint engine, ulong address, nuint size, uint rights);

    [LibraryImport(Name, EntryPoint = "uc_mem_write")]
    public static partial int Write(nint engine, ulong address, byte* bytes, nuint size);

    [LibraryImport(Name, EntryPoint = "uc_mem_read")]
    public static partial int Read(nint engine, ulong address, byte* bytes, nuint size);

    [LibraryImport(Name, EntryPoint = "uc_reg_write_batch")]
    public static partial int WriteRegisters(nint engine, int* registers, void** values, int count);

    [LibraryImport(Name, EntryPoint = "uc_reg_read_batch")]
    public static partial int ReadRegisters(nint engine, int* registers, void** values, int count);

    [LibraryImport(Name, EntryPoint = "uc_emu_start")]
    public static partial int Start(nint engine, ulong begin, ulong until, ulong timeout, nuint count);

    [LibraryImport(Name, EntryPoint = "uc_emu_stop")]
    public static partial int Stop(nint engine);
}
