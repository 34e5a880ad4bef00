using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Interrupts;

/// <summary>An event to deliver, or the exception that delivering one raised.</summary>
/// <param name="Vector">The vector.</param>
/// <param name="ErrorCode">The error code, 0 for vectors without one.</param>
/// <param name="Address">CR2 of a page fault.</param>
/// <param name="Why">What was wrong, for the report of a triple fault.</param>
internal readonly record struct DeliveryFault(byte Vector, uint ErrorCode, ulong Address, string Why)
{
    public const byte DoubleFaultVector = 8;
    public const byte InvalidTss = 10;
    public const byte NotPresent = 11;
    public const byte StackFault = 12;
    public const byte GeneralProtection = 13;
    public const byte PageFault = 14;

    public static DeliveryFault DoubleFault { get; } = new(DoubleFaultVector, 0, 0, "double fault");

    /// <summary>Divide error and the segment faults (SDM vol. 3, table 6-4).</summary>
    private bool Contributory => Vector is 0 or InvalidTss or NotPresent or StackFault or GeneralProtection;

    public static DeliveryFault Of(MemoryFault fault, string what)
        => new(fault.Vector, fault.ErrorCode, fault.Address, $"{what} at linear address 0x{fault.Address:x} cannot be accessed");

    /// <summary>Whether a fault while this was delivered becomes a double fault (SDM vol. 3, table 6-5); else it is delivered in turn.</summary>
    public bool DoublesWith(DeliveryFault second)
        => (Contributory && second.Contributory) || (Vector == PageFault && (second.Contributory || second.Vector == PageFault));

    public override string ToString() => $"{Vector} (error code 0x{ErrorCode:x}: {Why})";
}
