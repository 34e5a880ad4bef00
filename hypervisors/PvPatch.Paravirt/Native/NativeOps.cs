using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvTarget;

namespace PvPatch.Paravirt.Native;

/// <summary>What every slot holds on bare hardware: what a hypervisor may change is seen at a glance (Linux: arch/x86/kernel/paravirt.c).</summary>
public static unsafe class NativeOps
{
    /// <summary>One target an op; no op is left out.</summary>
#pragma warning disable format // aligned columns
    public static IReadOnlyDictionary<string, PvTarget> Targets { get; } = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
    {
        ["cpu.io_delay"]                          = Method(NativeCpu.IoDelay),
        ["cpu.get_debugreg"]                      = Method(NativeCpu.GetDebugreg),
        ["cpu.set_debugreg"]                      = Method(NativeCpu.SetDebugreg),
        ["cpu.read_cr0"]                          = Method(NativeCpu.ReadCr0),
        ["cpu.write_cr0"]                         = Method(NativeCpu.WriteCr0),
        ["cpu.write_cr4"]                         = Method(NativeCpu.WriteCr4),
        ["cpu.load_tr_desc"]                      = Method(NativeCpu.LoadTrDesc),
        ["cpu.load_gdt"]                          = Method(NativeCpu.LoadGdt),
        ["cpu.load_idt"]                          = Method(NativeCpu.LoadIdt),
        ["cpu.set_ldt"]                           = Method(NativeCpu.SetLdt),
        ["cpu.load_tls"]                          = Method(NativeCpu.LoadTls),
        ["cpu.write_gdt_entry"]                   = Method(NativeCpu.WriteGdtEntry),
        ["cpu.write_idt_entry"]                   = Method(NativeCpu.WriteIdtEntry),
        ["cpu.load_sp0"]                          = Method(NativeCpu.LoadSp0),
        ["cpu.wbinvd"]                            = Method(NativeCpu.Wbinvd),
        ["cpu.cpuid"]                             = Method(NativeCpu.Cpuid),
        ["cpu.read_msr"]                          = Method(NativeCpu.ReadMsr),
        ["cpu.write_msr"]                         = Method(NativeCpu.WriteMsr),
        ["cpu.read_msr_safe"]                     = Method(NativeCpu.ReadMsrSafe),
        ["cpu.write_msr_safe"]                    = Method(NativeCpu.WriteMsrSafe),
        ["cpu.start_context_switch"]              = Nop,
        ["cpu.end_context_switch"]                = Nop,

        ["irq.save_fl"]                           = Method(NativeIrq.SaveFlags),
        ["irq.irq_disable"]                       = Method(NativeIrq.Disable),
        ["irq.irq_enable"]                        = Method(NativeIrq.Enable),
        ["irq.safe_halt"]                         = Method(NativeIrq.SafeHalt),
        ["irq.halt"]                              = Method(NativeIrq.Halt),
        ["apic.eoi"]                              = Method(NativeIrq.Eoi),
        ["apic.send_IPI_mask"]                    = Method(NativeIrq.SendIpiMask),
        ["irq.init_IRQ"]                          = Method(NativeIrq.InitIrq),

        ["mmu.flush_tlb_user"]                    = Method(NativeMmu.FlushTlbUser),
        ["mmu.flush_tlb_kernel"]                  = Method(NativeMmu.FlushTlbKernel),
        ["mmu.flush_tlb_one_user"]                = Method(NativeMmu.FlushTlbOneUser),
        ["mmu.flush_tlb_multi"]                   = Method(NativeMmu.FlushTlbMulti),
        ["mmu.tlb_remove_table"]                  = Method(NativeMmu.TlbRemoveTable),
        ["mmu.exit_mmap"]                         = Nop,
        ["mmu.notify_page_enc_status_changed"]    = Nop,
        ["mmu.read_cr2"]                          = Method(NativeMmu.ReadCr2),
        ["mmu.write_cr2"]                         = Method(NativeMmu.WriteCr2),
        ["mmu.read_cr3"]                          = Method(NativeMmu.ReadCr3),
        ["mmu.write_cr3"]                         = Method(NativeMmu.WriteCr3),
        ["mmu.enter_mmap"]                        = Nop,
        ["mmu.pgd_alloc"]                         = Constant(0),
        ["mmu.pgd_free"]                          = Nop,
        ["mmu.alloc_pte"]                         = Nop,
        ["mmu.alloc_pmd"]                         = Nop,
        ["mmu.alloc_pud"]                         = Nop,
        ["mmu.release_pte"]                       = Nop,
        ["mmu.release_pmd"]                       = Nop,
        ["mmu.release_pud"]                       = Nop,
        ["mmu.set_pte"]                           = Method(NativeMmu.SetEntry),
        ["mmu.set_pmd"]                           = Method(NativeMmu.SetEntry),
        ["mmu.set_pud"]                           = Method(NativeMmu.SetEntry),
        ["mmu.set_p4d"]                           = Method(NativeMmu.SetEntry),
        ["mmu.ptep_modify_prot_start"]            = Method(NativeMmu.PtepModifyProtStart),
        ["mmu.ptep_modify_prot_commit"]           = Method(NativeMmu.PtepModifyProtCommit),
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
        ["mmu.set_fixmap"]                        = Method(NativeMmu.SetFixmap),

        ["time.sched_clock"]                      = Method(NativeTime.SchedClock),
        ["time.steal_clock"]                      = Constant(0),
        ["time.get_wallclock"]                    = Method(NativeTime.GetWallclock),
        ["time.get_tsc_khz"]                      = Method(NativeTime.GetTscKhz),
        ["time.time_init"]                        = Method(NativeTime.TimeInit),

        ["lock.queued_spin_lock_slowpath"]        = Method(NativeLock.QueuedSpinLockSlowpath),
        ["lock.queued_spin_unlock"]               = Method(NativeLock.QueuedSpinUnlock),
        ["lock.wait"]                             = Nop,
        ["lock.kick"]                             = Nop,
        ["lock.vcpu_is_preempted"]                = Constant(0),

        ["init.arch_setup"]                       = Nop,
        ["init.post_allocator_init"]              = Nop,
        ["init.guest_late_init"]                  = Nop,
        ["init.banner"]                           = Method(NativeInit.Banner),
    };
#pragma warning restore format
}
