using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>Set-up ops (<c>pv_init_ops</c>, today x86_init): each called once, so they stay simple indirect calls.</summary>
public unsafe struct InitOps
{
    [PvOp("init.arch_setup", SimpleIndirectCall, "Sets up what the platform needs before memory is")]
    public delegate* unmanaged<CpuState*, void> ArchSetup;

    [PvOp("init.post_allocator_init", SimpleIndirectCall, "The page allocator is up")]
    public delegate* unmanaged<CpuState*, void> PostAllocatorInit;

    [PvOp("init.guest_late_init", SimpleIndirectCall, "Memory is mapped: the hypervisor's shared pages are registered")]
    public delegate* unmanaged<CpuState*, void> GuestLateInit;

    [PvOp("init.banner", SimpleIndirectCall, "Says on what the kernel boots")]
    public delegate* unmanaged<CpuState*, void> Banner;
}
