using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="InitOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvInit
{
    /// <summary>Sets up what the platform needs before memory is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ArchSetup(CpuState* cpu) => Pv.Init.ArchSetup(cpu);

    /// <summary>The page allocator is up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PostAllocatorInit(CpuState* cpu) => Pv.Init.PostAllocatorInit(cpu);

    /// <summary>Memory is mapped: the hypervisor's shared pages are registered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void GuestLateInit(CpuState* cpu) => Pv.Init.GuestLateInit(cpu);

    /// <summary>Says on what the kernel boots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Banner(CpuState* cpu) => Pv.Init.Banner(cpu);
}
