using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>Where translated code finds fields of <see cref="CpuState"/>, <see cref="Execution"/> and others, in bytes from their start.</summary>
internal static unsafe class StateOffsets
{
    public static readonly int RFlags = Of(&InRFlags);
    public static readonly int Left = Of(&InLeft);
    public static readonly int BranchesLeft = Of(&InBranchesLeft);
    public static readonly int DataTlb = Of(&InDataTlb);
    public static readonly int JumpCache = Of(&InJumpCache);
    public static readonly int FetchEpoch = Of(&InFetchEpoch);
    public static readonly int Execution = Of(&InExecution);
    public static readonly int FsBase = Of(&InFs);
    public static readonly int GsBase = Of(&InGs);
    public static readonly int WaitingFlags = InExecutionState(0);
    public static readonly int WaitingA = InExecutionState(1);
    public static readonly int WaitingB = InExecutionState(2);
    public static readonly int Handler = InInstruction(0);
    public static readonly int Target = InInstruction(1);
    public static readonly int RegionEntry = InInstruction(2);
    public static readonly int Marks = InInstruction(3);

    // The lists of TlbTable, in their order.
    public const int ReadTags = 0;
    public const int WriteTags = TlbTable.Entries * sizeof(ulong);
    public const int HostOffsets = 3 * TlbTable.Entries * sizeof(ulong);
    public const int JoinTags = 4 * TlbTable.Entries * sizeof(ulong);

    public static readonly int Mxcsr = Of(&InMxcsr);

    private static readonly int Gpr = Of(&InGpr);
    private static readonly int FirstXmm = Of(&InXmm);

    /// <summary>A general register by its number.</summary>
    public static int General(int number) => Gpr + (number * sizeof(ulong));

    /// <summary>An XMM register by its number.</summary>
    public static int Xmm(int number) => FirstXmm + (number * 2 * sizeof(ulong));

    /// <summary>The upper half of a YMM register by its number.</summary>
    public static int YmmHigh(int number) => Xmm(number) + VexShapes.ToHigh;

    private static int Of(delegate*<CpuState*, byte*> field)
    {
        CpuState state;
        return (int)(field(&state) - (byte*)&state);
    }

    private static byte* InRFlags(CpuState* cpu) => (byte*)&cpu->RFlags;

    private static byte* InLeft(CpuState* cpu) => (byte*)&cpu->Left;

    private static byte* InBranchesLeft(CpuState* cpu) => (byte*)&cpu->BranchesLeft;

    private static byte* InDataTlb(CpuState* cpu) => (byte*)&cpu->DataTlb;

    private static byte* InJumpCache(CpuState* cpu) => (byte*)&cpu->JumpCache;

    private static byte* InFetchEpoch(CpuState* cpu) => (byte*)&cpu->FetchEpoch;

    private static byte* InExecution(CpuState* cpu) => (byte*)&cpu->Execution;

    private static byte* InFs(CpuState* cpu) => (byte*)&cpu->Fs.Base;

    private static byte* InGs(CpuState* cpu) => (byte*)&cpu->Gs.Base;

    private static byte* InGpr(CpuState* cpu) => (byte*)cpu->Gpr;

    private static byte* InMxcsr(CpuState* cpu) => (byte*)&cpu->Mxcsr;

    private static byte* InXmm(CpuState* cpu) => (byte*)cpu->Xmm;

    private static int InExecutionState(int field)
    {
        Execution execution;
        byte* at = field switch { 0 => (byte*)&execution.WaitingFlags, 1 => (byte*)&execution.WaitingA, _ => (byte*)&execution.WaitingB };
        return (int)(at - (byte*)&execution);
    }

    private static int InInstruction(int field)
    {
        DecodedInstruction u;
        byte* at = field switch { 0 => (byte*)&u.Handler, 1 => (byte*)&u.Target, 2 => (byte*)&u.RegionEntry, _ => (byte*)&u.Marks };
        return (int)(at - (byte*)&u);
    }
}
