using PvPatch.Emulator.State;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Hypervisors.Tests.Detection;

[TestFixture]
public sealed class CpuidRulesTests
{
    private static IEnumerable<TestCaseData> Dumps() => RecordedDump.All().Select(dump => dump.AsTestCase());

    private static IEnumerable<TestCaseData> DumpsThatTellFeatures() =>
        RecordedDump.All().Where(dump => dump.Offers is not null).Select(dump => dump.AsTestCase());

    [TestCaseSource(nameof(Dumps))]
    public void A_recorded_processor_gives_the_verdict_at_its_head(object recorded)
    {
        var dump = (RecordedDump)recorded;
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(dump.Text));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.Kind, Is.EqualTo(dump.Kind));
            Assert.That(verdict.PickedByLinux, Is.EqualTo(dump.PickedByLinux));
            Assert.That(verdict.Base, Is.EqualTo(dump.Base));
            Assert.That(verdict.HypervisorBit, Is.EqualTo(dump.HypervisorBit));
        }
    }

    [TestCaseSource(nameof(DumpsThatTellFeatures))]
    public void A_recorded_processor_offers_the_features_at_its_head(object recorded)
    {
        var dump = (RecordedDump)recorded;
        CpuidDump source = CpuidDump.Parse(dump.Text);

        IEnumerable<string> offered = ParavirtFeatures.Read(source, CpuidRules.Detect(source))
            .Where(state => state.Offered).Select(state => state.Feature.Name);

        Assert.That(string.Join(' ', offered), Is.EqualTo(dump.Offers));
    }

    [TestCase("kvm", "KVM", "KVM")]
    [TestCase("hyperv", "Microsoft Hyper-V", "Hyper-V")]
    [TestCase("vmware", "VMware", "VMware hypervisor")]
    [TestCase("xen-hvm", "Xen HVM", "Xen HVM")]
    [TestCase("jailhouse", "Jailhouse", "bare hardware")]
    [TestCase("acrn", "ACRN", "bare hardware")]
    [TestCase("bhyve", "Bhyve", "bare hardware")]
    [TestCase("qemu-tcg", "QEMU TCG", "bare hardware")]
    [TestCase("hyperv-without-hypercall", "Microsoft Hyper-V", "bare hardware")]
    [TestCase("intel-bare", "Bare hardware", "bare hardware")]
    public void Names_are_Linux_words(string dump, string name, string banner)
    {
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load(dump).Text));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.Name, Is.EqualTo(name));
            Assert.That(verdict.BannerName, Is.EqualTo(banner));
        }
    }

    [Test]
    public void A_kernel_entered_as_Xen_PV_is_Xen_PV_whatever_the_bit_says()
    {
        var entered = new CpuidCircumstances(EnteredAsXenPv: true);
        foreach (string name in (string[])["xen-hvm", "xen-hvm-bit-clear"])
        {
            CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load(name).Text), entered);
            Assert.That((verdict.Kind, verdict.PickedByLinux, verdict.BannerName), Is.EqualTo((HypervisorKind.XenPv, true, "Xen")), name);
        }
    }

    [Test]
    public void A_kernel_entered_as_PVH_is_Xen_HVM_with_a_banner_of_its_own()
    {
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load("xen-hvm").Text), new CpuidCircumstances(EnteredAsXenPvh: true));
        Assert.That((verdict.Kind, verdict.BannerName), Is.EqualTo((HypervisorKind.XenHvm, "Xen PVH")));
    }

    [TestCase("kvm", false)]
    [TestCase("hyperv", false)]
    [TestCase("vmware", false)]
    [TestCase("acrn", false)]
    [TestCase("xen-hvm", true)]
    [TestCase("jailhouse", true)]
    public void Nopv_leaves_only_those_that_ignore_it(string dump, bool picked)
    {
        RecordedDump recorded = RecordedDump.Load(dump);
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(recorded.Text), new CpuidCircumstances(NoParavirt: true));
        Assert.That((verdict.Kind, verdict.PickedByLinux), Is.EqualTo((recorded.Kind, picked)));
    }

    [Test]
    public void Kvm_with_EAX_zero_has_one_leaf_above_its_base()
    {
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load("kvm-max-leaf-zero").Text));
        Assert.That(verdict.MaxLeaf, Is.EqualTo(0x40000001));
    }

    [Test]
    public void Every_interface_on_the_way_is_reported_lowest_base_first()
    {
        var seen = new List<CpuidInterface>();
        CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load("kvm-behind-hyperv-leaves").Text), default, seen);
        Assert.That(seen.Select(i => $"{i.Base:x} {i.Signature}"), Is.EqualTo(["40000000 Microsoft Hv", "40000100 KVMKVMKVM"]));
    }

    [Test]
    public void An_unknown_signature_is_told_without_control_characters()
    {
        CpuidVerdict verdict = CpuidRules.Detect(CpuidDump.Parse(RecordedDump.Load("unknown-control-characters").Text));
        Assert.That(verdict.Signature.ToString(), Is.EqualTo(@"\x1b[31mred\x07\xff\\!"));
    }

    [Test]
    public void Detection_reads_each_base_once_and_little_more()
    {
        var counting = new CountingSource(CpuidDump.Parse(RecordedDump.Load("kvm").Text));
        CpuidRules.Detect(counting);
        Assert.That(counting.Reads, Is.InRange(256, 262));
    }

    [Test]
    public void Detection_allocates_nothing()
    {
        CpuidDump source = CpuidDump.Parse(RecordedDump.Load("kvm").Text);
        CpuidRules.Detect(source);
        long before = GC.GetAllocatedBytesForCurrentThread();
        CpuidRules.Detect(source);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void The_hypervisors_with_a_Linux_back_end_stand_in_Linux_order()
    {
        Assert.That(KnownHypervisors.All.TakeWhile(row => row.HasLinuxBackEnd).Select(row => row.Name),
            Is.EqualTo(["Xen PV", "Xen HVM", "VMware", "Microsoft Hyper-V", "KVM", "Jailhouse", "ACRN", "Bhyve"]));
    }

    [Test]
    public void Signatures_are_the_registers_of_the_hypervisors_manuals()
    {
        Assert.That(CpuidSignature.From("XenVMMXenVMM"), Is.EqualTo(new CpuidSignature(0x566e6558, 0x65584d4d, 0x4d4d566e)));
        Assert.That(CpuidSignature.From("KVMKVMKVM"), Is.EqualTo(new CpuidSignature(0x4b4d564b, 0x564b4d56, 0x0000004d)));
        Assert.That(CpuidSignature.From("Microsoft Hv"), Is.EqualTo(new CpuidSignature(0x7263694d, 0x666f736f, 0x76482074)));
        Assert.That(() => CpuidSignature.From("thirteen char"), Throws.ArgumentException);
    }

    [Test]
    public void No_feature_row_stands_twice()
    {
        Assert.That(ParavirtFeatures.All.Select(row => (row.Kind, row.LeafOffset, row.Register, row.Bit)), Is.Unique);
        Assert.That(ParavirtFeatures.All.Select(row => (row.Kind, row.Name)), Is.Unique);
        Assert.That(ParavirtFeatures.All.Select(row => row.Bit), Is.All.InRange(0, 31));
    }

    private sealed class CountingSource(ICpuidSource inner) : ICpuidSource
    {
        internal int Reads { get; private set; }

        public CpuidRegisters Read(uint leaf, uint subleaf)
        {
            Reads++;
            return inner.Read(leaf, subleaf);
        }
    }
}
