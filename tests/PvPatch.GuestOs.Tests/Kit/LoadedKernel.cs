using PvPatch.Emulator;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Engine;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Hosts;

namespace PvPatch.GuestOs.Tests.Kit;

/// <summary>A booted machine whose kernel was loaded from the image files, with slots of its own, patched or not.</summary>
internal sealed unsafe class LoadedKernel : IDisposable
{
    private readonly Machine _machine;
    private readonly IGuestKernel _kernel;

    public LoadedKernel(string host, int cpus, bool patched)
    {
        _machine = new Machine(new MachineOptions { Platform = KnownHosts.Find(host)!.Create(), Cpus = cpus, RamSize = 32ul << 20, Clock = new VirtualClock() });
        var boot = new BootParameters(_machine.Cpu(0), "");
        _kernel = KernelOf(ImageSet.LoadUnpatched(Files));
        Do(() => _kernel.Boot(boot));
        if (!patched)
            return;
        ImageSet set = ImageSet.Load(Patcher.Plan(_kernel.Ops, Files));
        VerifiedMethods = set.Verify();
        IGuestKernel booted = _kernel;
        _kernel = KernelOf(set);
        Do(() => _kernel.Resume(boot, booted.Ops));
    }

    /// <summary>The kernel's image and the ops it is bound to.</summary>
    public static IReadOnlyList<string> Files { get; } = [FileOf(typeof(Kernel)), FileOf(typeof(Paravirt.Tables.Pv))];

    public int VerifiedMethods { get; }

    /// <summary>Runs a workload.</summary>
    public ulong Run(string workload, ulong seed, int rounds)
    {
        ulong checksum = 0;
        Do(() => checksum = _kernel.Run(workload, seed, rounds));
        return checksum;
    }

    /// <summary>Runs a workload and counts the calls that go through the slots.</summary>
    public IReadOnlyDictionary<string, long> CountCalls(string workload, int rounds) =>
        _kernel.Ops.CountCalls(() => Run(workload, seed: 1, rounds));

    public void Dispose() => _machine.Dispose();

    private static IGuestKernel KernelOf(ImageSet set) =>
        (IGuestKernel)Activator.CreateInstance(set[typeof(Kernel).Assembly.GetName().Name!].GetType(typeof(Kernel).FullName!, throwOnError: true)!)!;

    private static string FileOf(Type type) => Path.Combine(AppContext.BaseDirectory, type.Assembly.GetName().Name + ".dll");

    private void Do(Action guest)
    {
        MachineExit exit = _machine.Run(guest);
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>(), exit.ToString());
    }
}
