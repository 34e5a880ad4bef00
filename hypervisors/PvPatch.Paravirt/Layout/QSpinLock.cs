using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>
/// A queued spin lock as Linux lays it out (include/asm-generic/qspinlock_types.h): one word of locked byte, pending byte
/// and the number of the last CPU in the queue, plus 1.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 4)]
public struct QSpinLock
{
    /// <summary>The whole word; 0 is free.</summary>
    [FieldOffset(0)]
    public uint Value;

    /// <summary>0 free, 1 locked, 3 locked and the first waiter is blocked.</summary>
    [FieldOffset(0)]
    public byte Locked;

    /// <summary>Last CPU in the queue plus 1, 0 when none waits.</summary>
    [FieldOffset(2)]
    public ushort Tail;

    /// <summary>The locked byte of a lock that is held.</summary>
    public const byte LockedValue = 1;

    /// <summary>The locked byte of a lock that is held while its first waiter is blocked: the unlocker must kick (Linux: _Q_SLOW_VAL).</summary>
    public const byte SlowValue = 3;
}
