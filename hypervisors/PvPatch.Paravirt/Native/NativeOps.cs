using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvTarget;

namespace PvPatch.Paravirt.Native;

/// <summary>What every slot holds on bare hardware: what a hypervisor may change is seen at a glance (Linux: arch/x86/kernel/paravirt.c).</summary>
public static class NativeOps
{
    /// <summary>One target an op; no op is left out.</summary>
#pragma warning disable format // aligned columns
    public static IReadOnlyDictionary<string, PvTarget> Targets { get; } = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
    {
        ["cpu.io_delay"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.IoDelay)),
        ["cpu.get_debugreg"]                      = Method(typeof(NativeCpu),    nameof(NativeCpu.GetDebugreg)),
        ["cpu.set_debugreg"]                      = Method(typeof(NativeCpu),    nameof(NativeCpu.SetDebugreg)),
        ["cpu.read_cr0"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.ReadCr0)),
        ["cpu.write_cr0"]                         = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteCr0)),
        ["cpu.write_cr4"]                         = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteCr4)),
        ["cpu.load_tr_desc"]                      = Method(typeof(NativeCpu),    nameof(NativeCpu.LoadTrDesc)),
        ["cpu.load_gdt"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.LoadGdt)),
        ["cpu.load_idt"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.LoadIdt)),
        ["cpu.set_ldt"]                           = Method(typeof(NativeCpu),    nameof(NativeCpu.SetLdt)),
        ["cpu.load_tls"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.LoadTls)),
        ["cpu.write_gdt_entry"]                   = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteGdtEntry)),
        ["cpu.write_idt_entry"]                   = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteIdtEntry)),
        ["cpu.load_sp0"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.LoadSp0)),
        ["cpu.wbinvd"]                            = Method(typeof(NativeCpu),    nameof(NativeCpu.Wbinvd)),
        ["cpu.cpuid"]                             = Method(typeof(NativeCpu),    nameof(NativeCpu.Cpuid)),
        ["cpu.read_msr"]                          = Method(typeof(NativeCpu),    nameof(NativeCpu.ReadMsr)),
        ["cpu.write_msr"]                         = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteMsr)),
        ["cpu.read_msr_safe"]                     = Method(typeof(NativeCpu),    nameof(NativeCpu.ReadMsrSafe)),
        ["cpu.write_msr_safe"]                    = Method(typeof(NativeCpu),    nameof(NativeCpu.WriteMsrSafe)),
        ["cpu.start_context_switch"]              = Nop,
        ["cpu.end_context_switch"]                = Nop,

        ["irq.save_fl"]                           = Method(typeof(NativeIrq),    nameof(NativeIrq.SaveFlags)),
        ["irq.irq_disable"]                       = Method(typeof(NativeIrq),    nameof(NativeIrq.Disable)),
        ["irq.irq_enable"]                        = Method(typeof(NativeIrq),    nameof(NativeIrq.Enable)),
        ["irq.safe_halt"]                         = Method(typeof(NativeIrq),    nameof(NativeIrq.SafeHalt)),
        ["irq.halt"]                              = Method(typeof(NativeIrq),    nameof(NativeIrq.Halt)),
        ["apic.eoi"]                              = Method(typeof(NativeIrq),    nameof(NativeIrq.Eoi)),
        ["apic.send_IPI_mask"]                    = Method(typeof(NativeIrq),    nameof(NativeIrq.SendIpiMask)),
        ["irq.init_IRQ"]                          = Method(typeof(NativeIrq),    nameof(NativeIrq.InitIrq)),

        ["mmu.flush_tlb_user"]                    = Method(typeof(NativeMmu),    nameof(NativeMmu.FlushTlbUser)),
        ["mmu.flush_tlb_kernel"]                  = Method(typeof(NativeMmu),    nameof(NativeMmu.FlushTlbKernel)),
        ["mmu.flush_tlb_one_user"]                = Method(typeof(NativeMmu),    nameof(NativeMmu.FlushTlbOneUser)),
        ["mmu.flush_tlb_multi"]                   = Method(typeof(NativeMmu),    nameof(NativeMmu.FlushTlbMulti)),
        ["mmu.tlb_remove_table"]                  = Method(typeof(NativeMmu),    nameof(NativeMmu.TlbRemoveTable)),
        ["mmu.exit_mmap"]                         = Nop,
        ["mmu.notify_page_enc_status_changed"]    = Nop,
        ["mmu.read_cr2"]                          = Method(typeof(NativeMmu),    nameof(NativeMmu.ReadCr2)),
        ["mmu.write_cr2"]                         = Method(typeof(NativeMmu),    nameof(NativeMmu.WriteCr2)),
        ["mmu.read_cr3"]                          = Method(typeof(NativeMmu),    nameof(NativeMmu.ReadCr3)),
        ["mmu.write_cr3"]                         = Method(typeof(NativeMmu),    nameof(NativeMmu.WriteCr3)),
        ["mmu.enter_mmap"]                        = Nop,
        ["mmu.pgd_alloc"]                         = Constant(0),
        ["mmu.pgd_free"]                          = Nop,
        ["mmu.alloc_pte"]                         = Nop,
        ["mmu.alloc_pmd"]                         = Nop,
        ["mmu.alloc_pud"]                         = Nop,
        ["mmu.release_pte"]                       = Nop,
        ["mmu.release_pmd"]                       = Nop,
        ["mmu.release_pud"]                       = Nop,
        ["mmu.set_pte"]                           = Method(typeof(NativeMmu),    nameof(NativeMmu.SetEntry)),
        ["mmu.set_pmd"]                           = Method(typeof(NativeMmu),    nameof(NativeMmu.SetEntry)),
        ["mmu.set_pud"]                           = Method(typeof(NativeMmu),    nameof(NativeMmu.SetEntry)),
        ["mmu.set_p4d"]                           = Method(typeof(NativeMmu),    nameof(NativeMmu.SetEntry)),
        ["mmu.ptep_modify_prot_start"]            = Method(typeof(NativeMmu),    nameof(NativeMmu.PtepModifyProtStart)),
        ["mmu.ptep_modify_prot_commit"]           = Method(typeof(NativeMmu),    nameof(NativeMmu.PtepModifyProtCommit)),
        ["mmu.pte_val"]                           = Identity,
        ["mmu.make_pte"]                          = Identity,
        ["mmu.pmd_val"]                           = Identity,
        ["mmu.make_pmd"]                          = Identity,
        ["mmu.pud_val"]                           = Identity,
        ["mmu.make_pud"]                          = Identity,
        ["mmu.p4d_val"]                           = Identity,
        ["mmu.make_p4d"]                          = Identity,
        ["mmu.lazy_mode.enter"]                   = Nop,
        ["mmu.lazy_mode.leave"]                   = Nop,
        ["mmu.lazy_mode.flush"]                   = Nop,
        ["mmu.set_fixmap"]                        = Method(typeof(NativeMmu),    nameof(NativeMmu.SetFixmap)),

        ["time.sched_clock"]                      = Method(typeof(NativeTime),   nameof(NativeTime.SchedClock)),
        ["time.steal_clock"]                      = Constant(0),
        ["time.get_wallclock"]                    = Method(typeof(NativeTime),   nameof(NativeTime.GetWallclock)),
        ["time.get_tsc_khz"]                      = Method(typeof(NativeTime),   nameof(NativeTime.GetTscKhz)),
        ["time.time_init"]                        = Method(typeof(NativeTime),   nameof(NativeTime.TimeInit)),

        ["lock.queued_spin_lock_slowpath"]        = Method(typeof(NativeLock),   nameof(NativeLock.QueuedSpinLockSlowpath)),
        ["lock.queued_spin_unlock"]               = Method(typeof(NativeLock),   nameof(NativeLock.QueuedSpinUnlock)),
        ["lock.wait"]                             = Nop,
        ["lock.kick"]                             = Nop,
        ["lock.vcpu_is_preempted"]                = Constant(0),

        ["init.arch_setup"]                       = Nop,
        ["init.post_allocator_init"]              = Nop,
        ["init.guest_late_init"]                  = Nop,
        ["init.banner"]                           = Method(typeof(NativeInit),   nameof(NativeInit.Banner)),
    };
#pragma warning restore format
}
