using System.Diagnostics.CodeAnalysis;
using PvPatch.Emulator.Exits;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// How a machine stops from the middle of an instruction. Below the guest's code lie unmanaged frames that no exception
/// may cross, so the thread tells its exit and then sleeps for ever; it is a background thread and holds nothing.
/// </summary>
/// <param name="publish">Tells the owner, who waits in another thread.</param>
internal sealed class ExitSignal(Action<MachineExit> publish)
{
    [DoesNotReturn]
    public void Exit(MachineExit exit)
    {
        publish(exit);
        while (true) Thread.Sleep(Timeout.Infinite);
    }
}
