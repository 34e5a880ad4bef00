namespace PvPatch.Emulator.State;

/// <summary>Bits of CR0 (Intel SDM vol. 3, 2.5).</summary>
public static class Cr0Bits
{
    /// <summary>Protection enable.</summary>
    public const ulong ProtectionEnable = 1ul << 0;

    /// <summary>Monitor coprocessor: WAIT honours TS.</summary>
    public const ulong MonitorCoprocessor = 1ul << 1;

    /// <summary>Emulation: x87 raises #NM, SSE #UD.</summary>
    public const ulong Emulation = 1ul << 2;

    /// <summary>Task switched: x87 and SSE raise #NM.</summary>
    public const ulong TaskSwitched = 1ul << 3;

    /// <summary>Extension type, always set.</summary>
    public const ulong ExtensionType = 1ul << 4;

    /// <summary>Numeric error: x87 errors raise #MF.</summary>
    public const ulong NumericError = 1ul << 5;

    /// <summary>Write protect: read-only pages bind the supervisor too.</summary>
    public const ulong WriteProtect = 1ul << 16;

    /// <summary>Alignment mask: RFLAGS.AC raises #AC in user mode.</summary>
    public const ulong AlignmentMask = 1ul << 18;

    /// <summary>Not write-through.</summary>
    public const ulong NotWriteThrough = 1ul << 29;

    /// <summary>Cache disable.</summary>
    public const ulong CacheDisable = 1ul << 30;

    /// <summary>Paging.</summary>
    public const ulong Paging = 1ul << 31;
}

/// <summary>Bits of CR4 (Intel SDM vol. 3, 2.5).</summary>
public static class Cr4Bits
{
    /// <summary>Time stamp disable: RDTSC only at CPL 0.</summary>
    public const ulong TimeStampDisable = 1ul << 2;

    /// <summary>Debugging extensions.</summary>
    public const ulong DebuggingExtensions = 1ul << 3;

    /// <summary>Page size extensions: 4 MB pages in 32-bit paging.</summary>
    public const ulong PageSizeExtensions = 1ul << 4;

    /// <summary>Physical address extension.</summary>
    public const ulong PhysicalAddressExtension = 1ul << 5;

    /// <summary>Machine check enable.</summary>
    public const ulong MachineCheckEnable = 1ul << 6;

    /// <summary>Global pages.</summary>
    public const ulong GlobalPages = 1ul << 7;

    /// <summary>Performance counters may be read at any CPL.</summary>
    public const ulong PerformanceCounters = 1ul << 8;

    /// <summary>The system saves SSE state with FXSAVE: SSE may be used.</summary>
    public const ulong OsFxsr = 1ul << 9;

    /// <summary>The system handles #XM.</summary>
    public const ulong OsXmmExceptions = 1ul << 10;

    /// <summary>User mode instruction prevention: SGDT, SIDT, SLDT, SMSW and STR only at CPL 0.</summary>
    public const ulong UserModeInstructionPrevention = 1ul << 11;

    /// <summary>RDFSBASE and its kind may be used.</summary>
    public const ulong FsGsBase = 1ul << 16;

    /// <summary>Process-context identifiers.</summary>
    public const ulong ProcessContextIdentifiers = 1ul << 17;

    /// <summary>XSAVE and its kind may be used.</summary>
    public const ulong OsXsave = 1ul << 18;

    /// <summary>Supervisor mode execution prevention.</summary>
    public const ulong Smep = 1ul << 20;

    /// <summary>Supervisor mode access prevention.</summary>
    public const ulong Smap = 1ul << 21;
}

/// <summary>Bits of IA32_EFER (Intel SDM vol. 3, 2.2.1).</summary>
public static class EferBits
{
    /// <summary>SYSCALL enable.</summary>
    public const ulong SyscallEnable = 1ul << 0;

    /// <summary>Long mode enable.</summary>
    public const ulong LongModeEnable = 1ul << 8;

    /// <summary>Long mode active.</summary>
    public const ulong LongModeActive = 1ul << 10;

    /// <summary>No-execute enable.</summary>
    public const ulong NoExecuteEnable = 1ul << 11;
}
