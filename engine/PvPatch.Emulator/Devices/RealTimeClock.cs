using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// The MC146818 real time clock behind 0x70 (register) and 0x71 (value): time of day in UTC, BCD or binary, 12 or 24
/// hours, the update-in-progress bit, setting the time, and CMOS RAM. Its interrupt is not wired.
/// </summary>
/// <param name="time">The time of day.</param>
public sealed class RealTimeClock(TimeProvider time) : IPortDevice, ISavedState
{
    /// <summary>Chooses a register; bit 7 would mask NMIs.</summary>
    public const ushort IndexPort = 0x70;

    /// <summary>The register's value.</summary>
    public const ushort DataPort = 0x71;

    private const byte StatusA = 0x0a;
    private const byte StatusB = 0x0b;
    private const byte StatusC = 0x0c;
    private const byte StatusD = 0x0d;
    private const byte Century = 0x32;
    private const byte Set = 0x80;
    private const byte Binary = 0x04;
    private const byte Hours24 = 0x02;
    private const byte Afternoon = 0x80;
    private const byte UpdateInProgress = 0x80;

    // The bit rises 244 microseconds before an update that takes 1984 (MC146818A data sheet, update cycle).
    private static readonly TimeSpan BusyBeforeSecond = TimeSpan.FromMicroseconds(244 + 1984);

    private readonly byte[] _ram = new byte[128];
    private TimeSpan _offset;
    private byte _index;
    private byte _statusA = 0x26;
    private byte _statusB = Hours24;

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [IndexPort, DataPort];

    private DateTimeOffset Now => time.GetUtcNow() + _offset;

    private bool IsSetting => (_statusB & Set) != 0;

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        state.Values<byte>(_ram);
        state.Value(ref _offset);
        state.Value(ref _index);
        state.Value(ref _statusA);
        state.Value(ref _statusB);
    }

    /// <inheritdoc/>
    public byte Read(ushort port) => port == IndexPort ? byte.MaxValue : ReadRegister(_index);

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        if (port == IndexPort)
        {
            _index = (byte)(value & 0x7f);
            return;
        }

        switch (_index)
        {
            case StatusA: _statusA = (byte)(value & 0x7f); break;
            case StatusB: WriteStatusB(value); break;
            case StatusC or StatusD: break; // Read only.
            case var index when IsTime(index) && !IsSetting: SetField(index, value); break;
            default: _ram[_index] = value; break;
        }
    }

    private byte ReadRegister(byte index) => index switch
    {
        StatusA => (byte)(_statusA | (IsUpdating() ? UpdateInProgress : 0)),
        StatusB => _statusB,
        StatusC => 0, // No interrupt is ever pending.
        StatusD => 0x80, // The battery is good.
        _ when IsTime(index) && !IsSetting => Field(index, Now),
        _ => _ram[index],
    };

    private static bool IsTime(byte index) => index is 0 or 2 or 4 or >= 6 and <= 9 or Century;

    private bool IsUpdating()
        => !IsSetting && TimeSpan.FromTicks(Now.Ticks % TimeSpan.TicksPerSecond) >= TimeSpan.FromSeconds(1) - BusyBeforeSecond;

    /// <summary>While the SET bit is on the time stands still in RAM; when it goes off the clock goes on from there.</summary>
    private void WriteStatusB(byte value)
    {
        bool starts = (value & Set) != 0 && !IsSetting;
        bool ends = (value & Set) == 0 && IsSetting;
        if (starts)
        {
            DateTimeOffset now = Now;
            foreach (byte index in (ReadOnlySpan<byte>)[0, 2, 4, 6, 7, 8, 9, Century]) _ram[index] = Field(index, now);
        }

        _statusB = value;
        if (ends) SetTime();
    }

    /// <summary>One field is written while the clock goes.</summary>
    private void SetField(byte index, byte value)
    {
        byte mode = _statusB;
        WriteStatusB((byte)(mode | Set));
        _ram[index] = value;
        WriteStatusB(mode);
    }

    private void SetTime()
    {
        int year = Number(_ram[Century]) * 100 + Number(_ram[9]);
        int month = Number(_ram[8]);
        if (year is < 1 or > 9998 || month is < 1 or > 12) return; // No date: the clock goes on as it was.
        int day = Math.Clamp(Number(_ram[7]), 1, DateTime.DaysInMonth(year, month));
        var set = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero)
            + new TimeSpan(Hour(_ram[4]) % 24, Number(_ram[2]) % 60, Number(_ram[0]) % 60);
        _offset += set - Now;
    }

    private byte Field(byte index, DateTimeOffset at) => index switch
    {
        0 => Digits(at.Second),
        2 => Digits(at.Minute),
        4 => HourDigits(at.Hour),
        6 => Digits((int)at.DayOfWeek + 1),
        7 => Digits(at.Day),
        8 => Digits(at.Month),
        9 => Digits(at.Year % 100),
        _ => Digits(at.Year / 100),
    };

    private byte HourDigits(int hour)
    {
        if ((_statusB & Hours24) != 0) return Digits(hour);
        byte twelve = Digits(hour % 12 == 0 ? 12 : hour % 12);
        return (byte)(twelve | (hour >= 12 ? Afternoon : 0));
    }

    private int Hour(byte value)
    {
        if ((_statusB & Hours24) != 0) return Number(value);
        return Number((byte)(value & ~Afternoon)) % 12 + ((value & Afternoon) != 0 ? 12 : 0);
    }

    private byte Digits(int number) => (byte)((_statusB & Binary) != 0 ? number : number / 10 << 4 | number % 10);

    private int Number(byte value) => (_statusB & Binary) != 0 ? value : (value >> 4) * 10 + (value & 15);
}
