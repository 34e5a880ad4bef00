namespace PvPatch.Emulator.Clocks;

/// <summary>One vCPU's time stamp counter: the machine's clock plus the offset the guest gave it (IA32_TSC, IA32_TSC_ADJUST).</summary>
/// <param name="clock">The machine's clock.</param>
public sealed class TimeStampCounter(MachineClock clock)
{
    /// <summary>What is added to the machine's clock, modulo 2^64: IA32_TSC_ADJUST.</summary>
    public ulong Offset { get; set; }

    /// <summary>What an instruction reads, in cycles.</summary>
    public ulong Read() => clock.Read() + Offset;

    /// <summary>The counter when the machine's clock stands at a time.</summary>
    public ulong At(ulong now) => now + Offset;

    /// <summary>The counter becomes <paramref name="value"/> now: a write of IA32_TSC.</summary>
    public void Write(ulong value) => Offset = value - clock.Now;

    /// <summary>The machine's time at which the counter reaches a value; one that lies behind is now.</summary>
    public ulong WhenItReaches(ulong value)
    {
        ulong now = clock.Now;
        return value > At(now) ? now + (value - At(now)) : now;
    }
}
