using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>futex(2): waiting for a word of memory, and waking those who do. Not those of priority inheritance.</summary>
internal static class FutexCalls
{
    private const uint AnyBits = uint.MaxValue;
    private const int PrivateAndClock = 0x180;
    private const int RealtimeClock = 0x100;

    public static long Futex(LinuxProcess process, in CallArguments call)
    {
        int operation = (int)call.A1;
        if ((call.A0 & 3) != 0)
            return -Errno.Invalid;
        if (!process.Space.TryReach(call.A0, 4, Protection.Read))
            return -Errno.BadAddress;
        ulong place = process.Space.PhysicalOf(call.A0);
        Futexes futexes = process.System.Futexes;
        bool isRealtime = (operation & RealtimeClock) != 0;
        return (operation & ~PrivateAndClock) switch
        {
            0 => WaitAt(process, call, AnyBits, Clock.Relative),
            9 => (uint)call.A5 == 0 ? -Errno.Invalid : WaitAt(process, call, (uint)call.A5, isRealtime ? Clock.Realtime : Clock.Monotonic),
            1 => futexes.Wake(place, (int)call.A2, AnyBits),
            10 => (uint)call.A5 == 0 ? -Errno.Invalid : futexes.Wake(place, (int)call.A2, (uint)call.A5),
            3 => Requeue(process, call, place),
            4 => WordAt(process, call.A0) == (uint)call.A5 ? Requeue(process, call, place) : -Errno.Again,
            _ => -Errno.NotImplemented,
        };
    }

    private static long WaitAt(LinuxProcess process, in CallArguments call, uint bits, Clock clock)
    {
        ulong address = call.A0;
        if (WordAt(process, address) != (uint)call.A2)
            return -Errno.Again;
        long deadline = Wait.Never;
        if (call.A3 != 0)
        {
            if (TimeCalls.ReadTime(process, call.A3, out long error) is not { } time)
                return error;
            ulong since = clock switch
            {
                Clock.Realtime => TimeCalls.WallClock(),
                Clock.Monotonic => TimeCalls.Monotonic(),
                _ => 0,
            };
            deadline = Wait.After(time > since ? time - since : 0);
        }

        Futexes futexes = process.System.Futexes;
        Futexes.Waiter waiter = futexes.Add(process.Space.PhysicalOf(address), bits);
        return process.Await(new Wait(
            () =>
            {
                if (waiter.IsWoken)
                    return 0;
                if (!Wait.IsOver(deadline))
                    return null;
                futexes.Remove(waiter);
                return -Errno.TimedOut;
            },
            deadline)
        {
            GiveUp = () =>
            {
                futexes.Remove(waiter);
                return null;
            },
        });
    }

    private static long Requeue(LinuxProcess process, in CallArguments call, ulong place)
    {
        if ((call.A4 & 3) != 0)
            return -Errno.Invalid;
        if (!process.Space.TryReach(call.A4, 4, Protection.Read))
            return -Errno.BadAddress;
        Futexes futexes = process.System.Futexes;
        int woken = futexes.Wake(place, (int)call.A2, AnyBits);
        return woken + futexes.Requeue(place, process.Space.PhysicalOf(call.A4), (int)Math.Min(call.A3, int.MaxValue));
    }

    private static uint WordAt(LinuxProcess process, ulong address)
    {
        Span<byte> bytes = stackalloc byte[4];
        process.TryRead(address, bytes);
        return BitConverter.ToUInt32(bytes);
    }

    private enum Clock
    {
        Relative,
        Realtime,
        Monotonic,
    }
}
