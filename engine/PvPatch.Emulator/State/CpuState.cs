using System.Runtime.InteropServices;

namespace PvPatch.Emulator.State;

/// <summary>
/// The architectural state of one x86-64 CPU, unmanaged, so that a patched native op is one or two machine instructions
/// (<c>cpu->RFlags &amp;= ~IF</c>). Register names are the manuals'. What patched ops touch stands first, in one cache line.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CpuState
{
    /// <summary>RFLAGS.</summary>
    public ulong RFlags;

    /// <summary>Not zero while an interrupt or another event waits for this CPU. Set by devices from any thread, so write it with <see cref="Interlocked"/>.</summary>
    public uint EventPending;

    /// <summary>Number of this CPU in its machine, from 0. It is also its x2APIC id.</summary>
    public int Index;

    /// <summary>Host address of guest physical address 0.</summary>
    public byte* Ram;

    /// <summary>Bytes of RAM from physical address 0 on, up to the first hole.</summary>
    public ulong RamSize;

    /// <summary>The machine's sensitive instructions.</summary>
    public SensitiveOps* Sensitive;

    /// <summary>CR0.</summary>
    public ulong Cr0;

    /// <summary>CR2: the linear address of the last page fault.</summary>
    public ulong Cr2;

    /// <summary>CR3: physical address of the top page table, with PCID or cache bits.</summary>
    public ulong Cr3;

    /// <summary>CR4.</summary>
    public ulong Cr4;

    /// <summary>CR8: the task priority, 0 to 15.</summary>
    public ulong Cr8;

    /// <summary>IA32_EFER.</summary>
    public ulong Efer;

    /// <summary>XCR0.</summary>
    public ulong Xcr0;

    /// <summary>RIP.</summary>
    public ulong Rip;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15: the encoding's order.</summary>
    public fixed ulong Gpr[16];

    /// <summary>DR0 to DR7.</summary>
    public fixed ulong Dr[8];

    /// <summary>Debug traps that wait for the end of their instruction or of a MOV SS: bits of DR6.</summary>
    public ulong PendingDebug;

    /// <summary>What keeps events away.</summary>
    public Interruptibility Interruptibility;

    /// <summary>ES.</summary>
    public Segment Es;

    /// <summary>CS.</summary>
    public Segment Cs;

    /// <summary>SS.</summary>
    public Segment Ss;

    /// <summary>DS.</summary>
    public Segment Ds;

    /// <summary>FS; its base is also IA32_FS_BASE.</summary>
    public Segment Fs;

    /// <summary>GS; its base is also IA32_GS_BASE. The guest's per-CPU data start there.</summary>
    public Segment Gs;

    /// <summary>LDTR.</summary>
    public Segment Ldtr;

    /// <summary>TR.</summary>
    public Segment Tr;

    /// <summary>GDTR.</summary>
    public DescriptorTable Gdtr;

    /// <summary>IDTR.</summary>
    public DescriptorTable Idtr;

    /// <summary>IA32_KERNEL_GS_BASE.</summary>
    public ulong KernelGsBase;

    /// <summary>Handle of the managed machine this CPU belongs to (<see cref="GCHandle.ToIntPtr"/>).</summary>
    public nint Machine;

    /// <summary>Handle of the managed part of this CPU: its local APIC and its TLB.</summary>
    public nint Vcpu;

    /// <summary>The software TLB's tables, one of each access mode; <c>Memory.Tlb</c> allocates, fills and flushes them.</summary>
    public TlbTable* Tlb;

    /// <summary>Counts the TLB's invalidations: whatever else remembers a translation compares it.</summary>
    public ulong TlbGeneration;

    /// <summary>The four page-directory-pointer entries that PAE paging loads with CR3 (Intel SDM vol. 3, 4.4.1).</summary>
    public fixed ulong Pdpte[4];

    /// <summary>Which physical pages hold decoded instructions; shared by the CPUs of a machine, null while none executes guest code.</summary>
    public CodePageMap* CodePages;

    /// <summary>The next CPU that executes code from the same pages.</summary>
    public CpuState* NextOnMap;

    /// <summary>Handle of the managed part of physical memory: what is there beyond low RAM; 0 if nothing is. <c>Memory.PhysicalMemory</c> makes it.</summary>
    public nint Memory;

    /// <summary>Handle of the watched ranges of linear memory, 0 while there are none. <c>Memory.MemoryWatches</c> makes it.</summary>
    public nint Watches;

    /// <summary>Not zero while the interpreter executes many instructions in one go: what needs an exact clock and registers must then ask to run alone.</summary>
    public uint RunsMany;

    /// <summary>XMM0 to XMM15, two words each, the low one first.</summary>
    public fixed ulong Xmm[32];

    /// <summary>The upper halves of YMM0 to YMM15, two words each, as XSAVE stores them.</summary>
    public fixed ulong YmmHigh[32];

    /// <summary>MXCSR.</summary>
    public uint Mxcsr;

    /// <summary>x87 and MMX.</summary>
    public FpuState Fpu;

    /// <summary>Always zero: stands for an absent base or index register and for a flat segment's base.</summary>
    public ulong Zero;

    /// <summary>The TLB table that serves explicit data accesses at the present privilege; kept by the interpreter.</summary>
    public TlbTable* DataTlb;

    /// <summary>Decoded instructions by their address: pairs of RIP and pointer; kept by the interpreter.</summary>
    public ulong* JumpCache;

    /// <summary>
    /// Changes whenever an address of code may lead elsewhere than before, and with the privilege: a page that a fetch led to is sure to be
    /// there as long as this stays.
    /// </summary>
    public ulong FetchEpoch;

    /// <summary>Instructions that the interpreter may still start before it looks up from its work.</summary>
    public ulong Left;

    /// <summary>Branches outside of translated code until the interpreter looks where it is, to find what is hot.</summary>
    public ulong BranchesLeft;

    /// <summary>The interpreter's part of this CPU, null while it does not execute guest code.</summary>
    public void* Execution;

    /// <summary>RAX: the hypercall number and the result in most ABIs.</summary>
    public ulong Rax { readonly get => Gpr[0]; set => Gpr[0] = value; }

    /// <summary>RCX.</summary>
    public ulong Rcx { readonly get => Gpr[1]; set => Gpr[1] = value; }

    /// <summary>RDX.</summary>
    public ulong Rdx { readonly get => Gpr[2]; set => Gpr[2] = value; }

    /// <summary>RBX.</summary>
    public ulong Rbx { readonly get => Gpr[3]; set => Gpr[3] = value; }

    /// <summary>RSP.</summary>
    public ulong Rsp { readonly get => Gpr[4]; set => Gpr[4] = value; }

    /// <summary>RSI.</summary>
    public ulong Rsi { readonly get => Gpr[6]; set => Gpr[6] = value; }

    /// <summary>RDI.</summary>
    public ulong Rdi { readonly get => Gpr[7]; set => Gpr[7] = value; }
}
