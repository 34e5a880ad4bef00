namespace PvPatch.Emulator.Processors;

/// <summary>A line into a machine by which its owner interrupts vCPUs, from any thread, until it is disposed.</summary>
public sealed class InterruptLine : IDisposable
{
    private readonly Board _board;
    private int _closed;

    internal InterruptLine(Board board)
    {
        _board = board;
        board.LineOpened();
    }

    /// <summary>Raises a fixed interrupt at a vCPU's local APIC.</summary>
    public void Raise(byte vector, int cpu = 0) => Open().Interrupt(cpu, vector);

    /// <summary>Raises an NMI at a vCPU.</summary>
    public void RaiseNmi(int cpu = 0) => Open().Nmi(cpu);

    /// <summary>Wakes a vCPU out of HLT, its next one if it is not in one.</summary>
    public void Kick(int cpu = 0) => Open().Kick(cpu);

    /// <summary>Closes the line.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0) _board.LineClosed();
    }

    private Board Open()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed) != 0, this);
        return _board;
    }
}
