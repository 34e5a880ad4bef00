namespace PvPatch.Emulator.Interrupts;

/// <summary>Carries interrupt messages between local APICs.</summary>
public interface IApicBus
{
    /// <summary>Delivers what a local APIC wrote to its interrupt command register to the vCPUs it names.</summary>
    /// <param name="from">Index of the sender.</param>
    /// <param name="message">The message.</param>
    void Send(int from, IpiMessage message);
}
