using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.GuestOs.Tests;

/// <summary>What a workload computes depends on the workload, the seed and the rounds alone.</summary>
[TestFixture]
public sealed class ChecksumTests
{
    private static readonly (string Workload, int Rounds)[] Workloads = [("irq", 3_000), ("mmu", 12), ("switch", 100), ("lock", 1_200), ("mixed", 40)];
    private static readonly ulong[] Seeds = [1, 2, 0xffff_ffff_ffff_ffff];
    private static readonly Dictionary<(string Host, int Cpus, bool Patched), LoadedKernel> Machines = [];

    private static IEnumerable<TestCaseData> Rows =>
        from workload in Workloads
        from host in (string[])["bare", "kvm"]
        from cpus in (int[])[1, 2]
        from patched in (bool[])[false, true]
        from seed in Seeds
        where (host, cpus, patched) != ("bare", 1, false)
        select new TestCaseData(workload.Workload, workload.Rounds, host, cpus, patched, seed);

    [OneTimeTearDown]
    public void DisposeMachines()
    {
        foreach (LoadedKernel machine in Machines.Values)
            machine.Dispose();
        Machines.Clear();
    }

    [TestCaseSource(nameof(Rows))]
    public void It_is_the_same_on_every_machine_patched_or_not(string workload, int rounds, string host, int cpus, bool patched, ulong seed)
    {
        ulong expected = MachineOf("bare", 1, patched: false).Run(workload, seed, rounds);
        Assert.That(MachineOf(host, cpus, patched).Run(workload, seed, rounds), Is.EqualTo(expected));
    }

    [TestCaseSource(nameof(Names))]
    public void Each_seed_has_its_own(string workload, int rounds)
    {
        LoadedKernel machine = MachineOf("bare", 1, patched: false);
        Assert.That(Seeds.Select(seed => machine.Run(workload, seed, rounds)), Is.Unique);
    }

    [TestCaseSource(nameof(Names))]
    public void Each_number_of_rounds_has_its_own(string workload, int rounds)
    {
        LoadedKernel machine = MachineOf("bare", 1, patched: false);
        Assert.That(((int[])[rounds, rounds + 7, rounds * 2]).Select(count => machine.Run(workload, 1, count)), Is.Unique);
    }

    [TestCase(KvmFeatures.None)]
    [TestCase(KvmFeatures.Clocksource)]
    [TestCase(KvmFeatures.Clocksource2)]
    [TestCase(KvmFeatures.StealTime)]
    [TestCase(KvmFeatures.PvEoi)]
    [TestCase(KvmFeatures.PvUnhalt)]
    [TestCase(KvmFeatures.PvTlbFlush)]
    [TestCase(KvmFeatures.PvTlbFlush | KvmFeatures.StealTime)]
    [TestCase(KvmFeatures.PvSendIpi)]
    [TestCase(KvmFeatures.HcMapGpaRange)]
    public void It_is_the_same_whatever_the_host_offers(KvmFeatures features)
    {
        ulong expected = MachineOf("bare", 1, patched: false).Run("mixed", 9, 30);
        using GuestMachine guest = new GuestMachine(new KvmHost(features), cpus: 2).Boot();
        ulong checksum = 0;
        unsafe
        {
            guest.Do(_ => checksum = guest.Kernel.Run("mixed", 9, 30));
        }

        Assert.That(checksum, Is.EqualTo(expected));
    }

    [Test]
    public void An_unknown_workload_is_refused_by_name()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        unsafe
        {
            Assert.That(guest.Run(_ => guest.Kernel.Run("chess", 1, 1)).ToString(), Does.Contain("There is no workload chess; there are irq, mmu, switch, lock, mixed."));
        }
    }

    [TestCase("bare", 2)]
    [TestCase("kvm", 2)]
    public void Patched_text_calls_no_class_2_op_through_its_slot(string host, int cpus)
    {
        LoadedKernel machine = MachineOf(host, cpus, patched: true);
        Assert.That(machine.VerifiedMethods, Is.Positive);
        Assert.That(machine.CountCalls("mixed", 20), Is.Empty);
    }

    private static IEnumerable<TestCaseData> Names => Workloads.Select(row => new TestCaseData(row.Workload, row.Rounds));

    private static LoadedKernel MachineOf(string host, int cpus, bool patched)
    {
        if (!Machines.TryGetValue((host, cpus, patched), out LoadedKernel? machine))
            Machines[(host, cpus, patched)] = machine = new LoadedKernel(host, cpus, patched);
        return machine;
    }
}
