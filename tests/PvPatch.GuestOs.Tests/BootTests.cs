using PvPatch.Emulator;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Hosts.Bare;

namespace PvPatch.GuestOs.Tests;

[NonParallelizable]
public sealed unsafe class BootTests
{
    [Test]
    public void Boots()
    {
        var lines = new List<string>();
        using var machine = new Machine(new MachineOptions { Platform = new BareHardware(), Cpus = 2, Console = lines.Add });
        var kernel = new Kernel();
        var boot = new BootParameters(machine.Cpu(0), "quiet");
        MachineExit exit = machine.Run(() => kernel.Boot(boot));
        foreach (string w in kernel.Workloads)
        {
            ulong sum = 0;
            exit = machine.Run(() => sum = kernel.Run(w, 1, 50));
            TestContext.Out.WriteLine($"{w} {sum:x} {exit}");
        }
        exit = machine.Run(kernel.Shutdown);
        foreach (string line in lines) TestContext.Out.WriteLine(line);
        TestContext.Out.WriteLine(exit);
        Assert.That(exit, Is.InstanceOf<MachineExit.PoweredOff>());
    }
}
