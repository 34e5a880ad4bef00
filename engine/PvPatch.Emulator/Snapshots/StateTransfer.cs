using System.Runtime.InteropServices;
using System.Text;

namespace PvPatch.Emulator.Snapshots;

/// <summary>
/// Carries state between a machine and its saved form. What a part saves and what it restores is one method that hands over
/// its fields in order, so that the two cannot differ: each call writes the value, or replaces it by the one that was saved.
/// </summary>
public sealed class StateTransfer
{
    /// <summary>The longest list of bytes, text or elements that is believed.</summary>
    private const int Longest = 1 << 20;

    private readonly MemoryStream _stream;

    private StateTransfer(MemoryStream stream, bool restoring)
    {
        _stream = stream;
        IsRestoring = restoring;
    }

    /// <summary>Whether values are replaced; else they are written.</summary>
    public bool IsRestoring { get; }

    /// <summary>Whether all that was saved was taken.</summary>
    internal bool IsAtEnd => _stream.Position == _stream.Length;

    /// <summary>A value.</summary>
    public void Value<T>(ref T value)
        where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref value));
        if (IsRestoring) Take(bytes);
        else _stream.Write(bytes);
    }

    /// <summary>A value that may be missing.</summary>
    public void Value<T>(ref T? value)
        where T : unmanaged
    {
        bool there = value.HasValue;
        T present = value.GetValueOrDefault();
        Value(ref there);
        Value(ref present);
        value = there ? present : null;
    }

    /// <summary>A value that is no field: what is there now, and what takes the one that was saved.</summary>
    public void Value<T>(T now, Action<T> set)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(set);
        Value(ref now);
        if (IsRestoring) set(now);
    }

    /// <summary>Values whose number is fixed.</summary>
    public void Values<T>(Span<T> values)
        where T : unmanaged
    {
        foreach (ref T value in values) Value(ref value);
    }

    /// <summary>Values of any number: what is there now; returns what shall be there.</summary>
    public T[] List<T>(IEnumerable<T> now)
        where T : unmanaged
    {
        T[] values = [.. now];
        int count = values.Length;
        Value(ref count);
        if (count is < 0 or > Longest) throw Damaged($"a list of {count} elements");
        if (IsRestoring) values = new T[count];
        Values<T>(values);
        return values;
    }

    /// <summary>A text: what is there now; returns what shall be there.</summary>
    public string Text(string now) => Encoding.UTF8.GetString(List(Encoding.UTF8.GetBytes(now)));

    /// <summary>A value that must be the same in the machine that restores, such as how many vCPUs it has.</summary>
    /// <exception cref="SnapshotException">It is another one.</exception>
    public void Same<T>(T now, string name)
        where T : unmanaged, IEquatable<T>
    {
        T saved = now;
        Value(ref saved);
        if (!saved.Equals(now)) throw new SnapshotException(SnapshotError.OtherMachine, $"{name} is {saved} in the saved state and {now} in this machine");
    }

    /// <summary>A text that must be the same in the machine that restores.</summary>
    /// <exception cref="SnapshotException">It is another one.</exception>
    public void Same(string now, string name)
    {
        string saved = Text(now);
        if (saved != now) throw new SnapshotException(SnapshotError.OtherMachine, $"{name} is \"{saved}\" in the saved state and \"{now}\" in this machine");
    }

    /// <summary>The error for something that cannot have been saved.</summary>
    public static SnapshotException Damaged(string what) => new(SnapshotError.Damaged, what);

    internal static byte[] Save(Action<StateTransfer> parts)
    {
        using var stream = new MemoryStream();
        parts(new StateTransfer(stream, restoring: false));
        return stream.ToArray();
    }

    internal static void Restore(byte[] saved, Action<StateTransfer> parts)
    {
        using var stream = new MemoryStream(saved, writable: false);
        var transfer = new StateTransfer(stream, restoring: true);
        parts(transfer);
        if (!transfer.IsAtEnd) throw Damaged("more of it than this machine has state");
    }

    private void Take(Span<byte> bytes)
    {
        if (_stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) != bytes.Length) throw Damaged("less of it than this machine has state");
    }
}
