using PvPatch.Emulator.State;
using static PvPatch.Paravirt.Detection.Cpuid.CpuidRegister;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>
/// Every feature bit that is known of, a row each. Names and numbers are those of Linux's headers: asm/kvm_para.h,
/// hyperv/hvgdk_mini.h, xen/interface/arch-x86/cpuid.h, asm/vmware.h, asm/acrn.h, asm/bhyve.h.
/// </summary>
public static class ParavirtFeatures
{
    private static readonly ParavirtFeature[] Rows =
    [
        new(HypervisorKind.Kvm, 1, Eax, 0, "CLOCKSOURCE", "clock in shared memory, MSRs 0x11 and 0x12"),
        new(HypervisorKind.Kvm, 1, Eax, 1, "NOP_IO_DELAY", "port I/O needs no delays"),
        new(HypervisorKind.Kvm, 1, Eax, 2, "MMU_OP", "page table hypercalls (abandoned)"),
        new(HypervisorKind.Kvm, 1, Eax, 3, "CLOCKSOURCE2", "clock in shared memory, MSRs 0x4b564d00 and 0x4b564d01"),
        new(HypervisorKind.Kvm, 1, Eax, 4, "ASYNC_PF", "page faults answered later"),
        new(HypervisorKind.Kvm, 1, Eax, 5, "STEAL_TIME", "stolen time and whether a vCPU is preempted"),
        new(HypervisorKind.Kvm, 1, Eax, 6, "PV_EOI", "end of interrupt without an exit"),
        new(HypervisorKind.Kvm, 1, Eax, 7, "PV_UNHALT", "spin locks that halt and are kicked"),
        new(HypervisorKind.Kvm, 1, Eax, 9, "PV_TLB_FLUSH", "preempted vCPUs flush their TLB on entry"),
        new(HypervisorKind.Kvm, 1, Eax, 10, "ASYNC_PF_VMEXIT", "late page faults as exits of nested guests"),
        new(HypervisorKind.Kvm, 1, Eax, 11, "PV_SEND_IPI", "several interrupts with one hypercall"),
        new(HypervisorKind.Kvm, 1, Eax, 12, "POLL_CONTROL", "the guest polls before it halts"),
        new(HypervisorKind.Kvm, 1, Eax, 13, "PV_SCHED_YIELD", "yield to a preempted vCPU"),
        new(HypervisorKind.Kvm, 1, Eax, 14, "ASYNC_PF_INT", "late pages announced by an interrupt"),
        new(HypervisorKind.Kvm, 1, Eax, 15, "MSI_EXT_DEST_ID", "15-bit APIC ids in MSIs"),
        new(HypervisorKind.Kvm, 1, Eax, 16, "HC_MAP_GPA_RANGE", "tells which pages are encrypted"),
        new(HypervisorKind.Kvm, 1, Eax, 17, "MIGRATION_CONTROL", "tells when it may be migrated"),
        new(HypervisorKind.Kvm, 1, Eax, 24, "CLOCKSOURCE_STABLE_BIT", "clock is the same on all vCPUs"),
        new(HypervisorKind.Kvm, 1, Edx, 0, "HINTS_REALTIME", "hint: vCPUs are never preempted for long"),

        new(HypervisorKind.HyperV, 3, Eax, 0, "VP_RUNTIME", "run time of a virtual processor, MSR 0x40000010"),
        new(HypervisorKind.HyperV, 3, Eax, 1, "TIME_REF_COUNT", "reference counter of 100 ns, MSR 0x40000020"),
        new(HypervisorKind.HyperV, 3, Eax, 2, "SYNIC", "synthetic interrupt controller"),
        new(HypervisorKind.HyperV, 3, Eax, 3, "SYNTIMER", "synthetic timers"),
        new(HypervisorKind.HyperV, 3, Eax, 4, "APIC_ACCESS", "APIC registers as MSRs"),
        new(HypervisorKind.HyperV, 3, Eax, 5, "HYPERCALL", "hypercalls; a guest needs them"),
        new(HypervisorKind.HyperV, 3, Eax, 6, "VP_INDEX", "number of a virtual processor; a guest needs it"),
        new(HypervisorKind.HyperV, 3, Eax, 7, "RESET", "reset by MSR 0x40000003"),
        new(HypervisorKind.HyperV, 3, Eax, 9, "REFERENCE_TSC", "clock page, MSR 0x40000021"),
        new(HypervisorKind.HyperV, 3, Eax, 10, "GUEST_IDLE", "idle until an interrupt, MSR 0x400000f0"),
        new(HypervisorKind.HyperV, 3, Eax, 11, "FREQUENCY_MSRS", "TSC and APIC frequency, MSRs 0x40000022 and 0x40000023"),
        new(HypervisorKind.HyperV, 3, Eax, 13, "REENLIGHTENMENT", "told when a migration changes the TSC"),
        new(HypervisorKind.HyperV, 3, Eax, 15, "TSC_INVARIANT", "invariant TSC can be asked for, MSR 0x40000118"),
        new(HypervisorKind.HyperV, 3, Ebx, 0, "CREATE_PARTITIONS", "may create partitions"),
        new(HypervisorKind.HyperV, 3, Ebx, 1, "ACCESS_PARTITION_ID", "may ask for its partition's number"),
        new(HypervisorKind.HyperV, 3, Ebx, 4, "POST_MESSAGES", "may post messages"),
        new(HypervisorKind.HyperV, 3, Ebx, 5, "SIGNAL_EVENTS", "may signal events"),
        new(HypervisorKind.HyperV, 3, Ebx, 12, "CPU_MANAGEMENT", "manages processors: this is the root partition"),
        new(HypervisorKind.HyperV, 3, Ebx, 20, "EXTENDED_HYPERCALLS", "extended hypercalls"),
        new(HypervisorKind.HyperV, 3, Ebx, 22, "ISOLATION", "an isolated partition (confidential VM)"),
        new(HypervisorKind.HyperV, 3, Edx, 4, "XMM_INPUT", "hypercall input in XMM registers"),
        new(HypervisorKind.HyperV, 3, Edx, 5, "GUEST_IDLE_STATE", "virtual idle state"),
        new(HypervisorKind.HyperV, 3, Edx, 8, "FREQUENCY_MSRS_AVAILABLE", "frequency MSRs are there"),
        new(HypervisorKind.HyperV, 3, Edx, 10, "GUEST_CRASH_MSRS", "reports a guest's crash"),
        new(HypervisorKind.HyperV, 3, Edx, 15, "XMM_OUTPUT", "hypercall output in XMM registers"),
        new(HypervisorKind.HyperV, 3, Edx, 19, "STIMER_DIRECT_MODE", "synthetic timers raise their own vector"),
        new(HypervisorKind.HyperV, 4, Eax, 0, "AS_SWITCH_RECOMMENDED", "hint: switch address spaces by hypercall"),
        new(HypervisorKind.HyperV, 4, Eax, 1, "LOCAL_TLB_FLUSH_RECOMMENDED", "hint: flush the own TLB by hypercall"),
        new(HypervisorKind.HyperV, 4, Eax, 2, "REMOTE_TLB_FLUSH_RECOMMENDED", "hint: flush other TLBs by hypercall"),
        new(HypervisorKind.HyperV, 4, Eax, 3, "APIC_ACCESS_RECOMMENDED", "hint: use the APIC through MSRs"),
        new(HypervisorKind.HyperV, 4, Eax, 4, "SYSTEM_RESET_RECOMMENDED", "hint: reset through the MSR"),
        new(HypervisorKind.HyperV, 4, Eax, 5, "RELAXED_TIMING_RECOMMENDED", "hint: no watchdogs on timing"),
        new(HypervisorKind.HyperV, 4, Eax, 9, "DEPRECATING_AEOI_RECOMMENDED", "hint: no automatic end of interrupt"),
        new(HypervisorKind.HyperV, 4, Eax, 10, "CLUSTER_IPI_RECOMMENDED", "hint: several interrupts with one hypercall"),
        new(HypervisorKind.HyperV, 4, Eax, 11, "EX_PROCESSOR_MASKS_RECOMMENDED", "hint: sparse processor sets in hypercalls"),
        new(HypervisorKind.HyperV, 4, Eax, 12, "NESTED", "hint: Hyper-V itself runs nested"),
        new(HypervisorKind.HyperV, 4, Eax, 14, "ENLIGHTENED_VMCS_RECOMMENDED", "hint: enlightened VMCS for nested guests"),

        .. XenRows(HypervisorKind.XenPv),
        .. XenRows(HypervisorKind.XenHvm),

        new(HypervisorKind.VMware, 0x10, Ecx, 0, "VMMCALL", "hypercalls by VMMCALL"),
        new(HypervisorKind.VMware, 0x10, Ecx, 1, "VMCALL", "hypercalls by VMCALL"),

        new(HypervisorKind.Acrn, 1, Eax, 0, "PRIVILEGED_VM", "this is the service VM"),

        new(HypervisorKind.Bhyve, 1, Eax, 0, "EXT_DEST_ID", "15-bit APIC ids in MSIs"),
    ];

    /// <summary>All rows, those of one hypervisor together.</summary>
    public static IReadOnlyList<ParavirtFeature> All => Rows;

    /// <summary>Which features the detected hypervisor offers.</summary>
    /// <param name="source">Who answers CPUID.</param>
    /// <param name="verdict">What <see cref="CpuidRules"/> said of the same source.</param>
    /// <returns>Every known feature of this hypervisor, offered or not; a leaf above the highest one offers nothing. Empty under
    /// a signature that Linux doesn't know: the leaves behind it are another hypervisor's ("Linux KVM Hv" has Hyper-V's).</returns>
    public static IReadOnlyList<FeatureState> Read(ICpuidSource source, CpuidVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (verdict.Base == 0 || !KnownHypervisors.HasLinuxBackEnd(verdict.Kind, verdict.Signature))
            return [];

        var states = new List<FeatureState>();
        uint readLeaf = 0;
        CpuidRegisters registers = default;
        foreach (ParavirtFeature row in Rows)
        {
            if (row.Kind != verdict.Kind)
                continue;

            uint leaf = verdict.Base + row.LeafOffset;
            if (leaf != readLeaf)
                registers = leaf <= verdict.MaxLeaf ? source.Read(leaf, 0) : default;
            readLeaf = leaf;
            states.Add(new FeatureState(row, leaf, ((ValueOf(row.Register, registers) >> row.Bit) & 1) != 0));
        }

        return states;
    }

    private static ParavirtFeature[] XenRows(HypervisorKind kind) =>
    [
        new(kind, 4, Eax, 0, "APIC_ACCESS_VIRT", "APIC registers are virtualised by the processor"),
        new(kind, 4, Eax, 1, "X2APIC_VIRT", "x2APIC is virtualised by the processor"),
        new(kind, 4, Eax, 2, "IOMMU_MAPPINGS", "foreign and granted pages are in the IOMMU"),
        new(kind, 4, Eax, 3, "VCPU_ID_PRESENT", "EBX is the vCPU's number"),
        new(kind, 4, Eax, 4, "DOMID_PRESENT", "ECX is the domain's number"),
        new(kind, 4, Eax, 5, "EXT_DEST_ID", "15-bit APIC ids in MSIs"),
        new(kind, 4, Eax, 6, "UPCALL_VECTOR", "an interrupt vector for each vCPU's events"),
    ];

    private static uint ValueOf(CpuidRegister register, CpuidRegisters registers) => register switch
    {
        Eax => registers.Eax,
        Ebx => registers.Ebx,
        Ecx => registers.Ecx,
        _ => registers.Edx,
    };
}
