using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// One decoded instruction: what to call and where its operands are, in one cache line. Decoded instructions that follow
/// each other in memory do so here. Registers are byte offsets into <see cref="CpuState"/>, so that AH or a segment's
/// base needs no case of its own.
/// </summary>
internal unsafe struct DecodedInstruction
{
    /// <summary>
    /// Executes it and returns the next one; null leaves the loop, the reason is in <see cref="Execution"/>. Handlers that run
    /// often are compiled once for good: profiling them first was measured to leave some at half their speed.
    /// </summary>
    public delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Handler;

    /// <summary>Its own address (RIP, EIP or IP).</summary>
    public ulong Rip;

    /// <summary>The immediate, sign-extended; for a direct branch the target's address.</summary>
    public ulong Immediate;

    /// <summary>Displacement of the memory operand; RIP-relative ones are resolved.</summary>
    public ulong Displacement;

    /// <summary>Where a direct branch leads, once linked: only within one page. For a packed instruction, its meaning.</summary>
    public DecodedInstruction* Target;

    /// <summary>Base register.</summary>
    public ushort Base;

    /// <summary>Index register.</summary>
    public ushort Index;

    /// <summary>The segment of the memory operand.</summary>
    public ushort Segment;

    /// <summary>First register operand.</summary>
    public ushort Op0;

    /// <summary>Second register operand.</summary>
    public ushort Op1;

    /// <summary>Third register operand.</summary>
    public ushort Op2;

    /// <summary>Iced's <c>Code</c>.</summary>
    public ushort Code;

    /// <summary>Shift of the index register.</summary>
    public byte Scale;

    /// <summary>What the address needs beyond base, index and displacement.</summary>
    public Addressing Addressing;

    /// <summary>Prefixes and other marks.</summary>
    public Marks Marks;

    /// <summary>Length in bytes.</summary>
    public byte Length;

    /// <summary>Second immediate: nesting level of ENTER, selector of a far pointer; what an x87 instruction leaves as last opcode; <see cref="VexOperands"/>.</summary>
    public ushort Immediate2;

    /// <summary>Which block of a translated region starts here, if <see cref="Handler"/> is a region.</summary>
    public ushort RegionEntry;

    /// <summary>An indirect jump or call led here, so that a region with such a branch may be made of both.</summary>
    public bool IsSought;

    /// <summary>The address of the instruction behind it.</summary>
    public readonly ulong NextRip => Rip + Length;
}

/// <summary>What the effective address of a memory operand needs beyond base + index * scale + displacement.</summary>
[Flags]
internal enum Addressing : byte
{
    /// <summary>Nothing: 64-bit addresses in a flat segment.</summary>
    Flat = 0,

    /// <summary>The sum is cut to 32 bits.</summary>
    Cut32 = 1,

    /// <summary>The sum is cut to 16 bits.</summary>
    Cut16 = 2,

    /// <summary>The base of FS or GS is added.</summary>
    SegmentBase = 4,

    /// <summary>Outside 64-bit mode: base, limit and type of the segment count.</summary>
    Checked = 8,
}

/// <summary>Prefixes and other marks of a decoded instruction.</summary>
[Flags]
internal enum Marks : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>REP or REPE.</summary>
    Rep = 1,

    /// <summary>REPNE.</summary>
    Repne = 2,

    /// <summary>LOCK.</summary>
    Lock = 4,

    /// <summary>The memory operand lies in SS, so that a bad address is #SS.</summary>
    Stack = 8,

    /// <summary>64-bit code.</summary>
    Code64 = 16,

    /// <summary>32-bit code (neither: 16-bit).</summary>
    Code32 = 32,

    /// <summary>The handler computes flags that wait (<see cref="Execution.WaitingFlags"/>), or hands them on; others find none waiting.</summary>
    TakesWaitingFlags = 64,

    /// <summary>A VEX instruction on vectors.</summary>
    Vex = 128,
}
