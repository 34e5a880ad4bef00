using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Tables;

namespace PvPatch.GuestOs.Tests.Ops;

/// <summary>The tables as they are declared, and what becomes of their sites in the real images.</summary>
[TestFixture]
public sealed class OpTableTests
{
    private const int CpuCount = 2;

    private static readonly Dictionary<bool, PatchReport> Reports = [];

    [TestCase("irq.save_fl")]
    [TestCase("irq.irq_disable")]
    [TestCase("irq.irq_enable")]
    [TestCase("mmu.read_cr2")]
    [TestCase("mmu.read_cr3")]
    [TestCase("mmu.write_cr3")]
    [TestCase("cpu.wbinvd")]
    [TestCase("mmu.pte_val")]
    [TestCase("mmu.make_pte")]
    [TestCase("mmu.pmd_val")]
    [TestCase("mmu.make_pmd")]
    [TestCase("mmu.pud_val")]
    [TestCase("mmu.make_pud")]
    [TestCase("mmu.p4d_val")]
    [TestCase("mmu.make_p4d")]
    [TestCase("lock.queued_spin_unlock")]
    [TestCase("lock.vcpu_is_preempted")]
    public void What_Linux_patches_inline_is_of_class_2(string op) =>
        Assert.That(new PvOpTable(typeof(Pv))[op].Class.HasFlag(PvOpClass.PatchedCall));

    [TestCase("irq.save_fl")]
    [TestCase("irq.irq_disable")]
    [TestCase("irq.irq_enable")]
    [TestCase("mmu.read_cr2")]
    public void What_Linux_calls_from_entry_code_is_of_class_3_too(string op) =>
        Assert.That(new PvOpTable(typeof(Pv))[op].Class, Is.EqualTo(PvOpClass.PatchedCall | PvOpClass.AssemblyMacro));

    [Test]
    public void There_is_a_native_op_for_every_slot_and_none_more()
    {
        var table = new PvOpTable(typeof(Pv));
        Assert.That(NativeOps.Targets.Keys, Is.EquivalentTo(table.Ops.Select(op => op.Name)));
        Assert.That(table.Ops, Has.Count.AtLeast(35));
        table.Install(NativeOps.Targets);
        Assert.That(table.Missing, Is.Empty);
    }

    [Test]
    public void Every_op_has_a_sentence_of_its_own_name_and_group()
    {
        foreach (PvOp op in new PvOpTable(typeof(Pv)).Ops)
        {
            using (Assert.EnterMultipleScope())
            {
                Assert.That(op.Summary, Is.Not.Empty.And.Not.EndsWith("."), op.Name);
                Assert.That(op.Name, Does.Match(@"^(cpu|irq|apic|mmu|time|lock|init)\.[A-Za-z_0-9.]+$"));
            }
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Every_op_of_class_2_has_a_site_and_each_is_patched(bool onKvm)
    {
        PatchReport report = ReportOf(onKvm);
        foreach (PvOp op in new PvOpTable(typeof(Pv)).Ops.Where(op => op.Class.HasFlag(PvOpClass.PatchedCall)))
        {
            SiteCounts counts = report.Ops.GetValueOrDefault(op.Name);
            Assert.That((counts.Patched > 0, counts.Left, counts.Deferred), Is.EqualTo((true, 0, 0)), op.Name);
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Every_op_of_class_1_has_a_site_and_each_is_left(bool onKvm)
    {
        PatchReport report = ReportOf(onKvm);
        foreach (PvOp op in new PvOpTable(typeof(Pv)).Ops.Where(op => op.Class == PvOpClass.SimpleIndirectCall))
        {
            SiteCounts counts = report.Ops.GetValueOrDefault(op.Name);
            Assert.That((counts.Left > 0, counts.Patched, counts.Deferred), Is.EqualTo((true, 0, 0)), op.Name);
        }
    }

    [Test]
    public void Nothing_but_its_wrapper_calls_a_slot()
    {
        foreach (PatchedSite site in ReportOf(onKvm: false).Sites)
            Assert.That(site.Method, Does.StartWith("PvPatch.Paravirt.Wrappers.Pv"), site.Op);
    }

    [Test]
    public void Under_KVM_exactly_the_ops_that_KVM_installs_are_patched_otherwise()
    {
        IReadOnlyDictionary<string, PvTarget> kvm = KvmGuest.Targets(KvmHost.AllFeatures, KvmHints.None, CpuCount);
        Dictionary<string, string?> bareSites = SitesByOp(ReportOf(onKvm: false));
        Dictionary<string, string?> kvmSites = SitesByOp(ReportOf(onKvm: true));
        IEnumerable<string> different = bareSites.Keys.Where(op => !string.Equals(bareSites[op], kvmSites[op], StringComparison.Ordinal));
        Assert.That(different, Is.EquivalentTo(kvm.Keys.Where(bareSites.ContainsKey)));
        foreach (string op in kvm.Keys.Where(kvmSites.ContainsKey))
            Assert.That(kvmSites[op], Is.EqualTo(kvm[op] == PvTarget.Nop ? "gone" : $"call {kvm[op]}"));
    }

    [TestCase(KvmFeatures.None, 2, "init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.Clocksource2, 1, "init.banner init.guest_late_init time.get_tsc_khz time.get_wallclock time.sched_clock")]
    [TestCase(KvmFeatures.NopIoDelay, 1, "cpu.io_delay init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.StealTime, 1, "init.banner init.guest_late_init lock.vcpu_is_preempted time.steal_clock")]
    [TestCase(KvmFeatures.PvEoi, 1, "apic.eoi init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.PvUnhalt, 1, "init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.PvUnhalt, 2, "init.banner init.guest_late_init lock.kick lock.queued_spin_lock_slowpath lock.queued_spin_unlock lock.wait")]
    [TestCase(KvmFeatures.PvTlbFlush, 2, "init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.PvSendIpi, 1, "init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.PvSendIpi, 2, "apic.send_IPI_mask init.banner init.guest_late_init")]
    [TestCase(KvmFeatures.HcMapGpaRange, 1, "init.banner init.guest_late_init mmu.notify_page_enc_status_changed")]
    [TestCase(KvmFeatures.PvTlbFlush | KvmFeatures.StealTime, 2, "init.banner init.guest_late_init lock.vcpu_is_preempted mmu.flush_tlb_multi mmu.tlb_remove_table time.steal_clock")]
    public void KVM_installs_what_the_host_offers(KvmFeatures features, int cpus, string ops) =>
        Assert.That(string.Join(' ', KvmGuest.Targets(features, KvmHints.None, cpus).Keys.Order(StringComparer.Ordinal)), Is.EqualTo(ops));

    [Test]
    public void On_a_host_that_never_preempts_waiters_spin()
    {
        IEnumerable<string> ops = KvmGuest.Targets(KvmHost.AllFeatures, KvmHints.Realtime, CpuCount).Keys;
        Assert.That(ops, Has.None.EqualTo("lock.wait").And.None.EqualTo("mmu.flush_tlb_multi"));
    }

    private static PatchReport ReportOf(bool onKvm)
    {
        if (Reports.TryGetValue(onKvm, out PatchReport? report))
            return report;
        var table = new PvOpTable(typeof(Pv));
        table.Install(NativeOps.Targets);
        if (onKvm)
            table.Install(KvmGuest.Targets(KvmHost.AllFeatures, KvmHints.None, CpuCount));
        return Reports[onKvm] = Patcher.Plan(table, LoadedKernel.Files).Report;
    }

    private static Dictionary<string, string?> SitesByOp(PatchReport report) => report.Sites
        .Where(site => site.State == SiteState.Patched)
        .GroupBy(site => site.Op, StringComparer.Ordinal)
        .ToDictionary(sites => sites.Key, sites => sites.Select(site => site.Replacement).Distinct(StringComparer.Ordinal).Single(), StringComparer.Ordinal);
}
