using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PvPatch.Matrix.Kinds;

/// <summary>Bytes in a row, as many as the size asks.</summary>
internal static class Bytes
{
    public static T Of<T>(long seed)
        where T : unmanaged
    {
        T value = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<T>(ref value));
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(seed >> (i % 7));
        return value;
    }

    public static long Sum<T>(T value)
        where T : unmanaged
    {
        long sum = 0;
        foreach (byte b in MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)))
            sum = (sum * 31) + b;
        return sum;
    }
}

[StructLayout(LayoutKind.Sequential, Size = 1)]
internal struct Of1;

[StructLayout(LayoutKind.Sequential, Size = 2)]
internal struct Of2;

[StructLayout(LayoutKind.Sequential, Size = 3)]
internal struct Of3;

[StructLayout(LayoutKind.Sequential, Size = 4)]
internal struct Of4;

internal record struct Of8(long First);

[StructLayout(LayoutKind.Sequential, Size = 12)]
internal record struct Of12(int First);

internal record struct Of16(long First, long Second);

internal record struct Of16Mixed(double First, long Second);

internal record struct Of24(long First, long Second, long Third);

[StructLayout(LayoutKind.Sequential, Size = 32)]
internal record struct Of32(long First);

[StructLayout(LayoutKind.Sequential, Size = 64)]
internal record struct Of64(long First);

public static unsafe class StaticReturnsStructs
{
    public static long Run(long a) =>
        Bytes.Sum(Give1(a)) + Bytes.Sum(Give2(a)) + Bytes.Sum(Give3(a)) + Bytes.Sum(Give4(a)) + Bytes.Sum(Give8(a)) + Bytes.Sum(Give12(a))
        + Bytes.Sum(Give16(a)) + Bytes.Sum(GiveMixed(a)) + Bytes.Sum(Give24(a)) + Bytes.Sum(Give32(a)) + Bytes.Sum(Give64(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of1 Give1(long a) => Bytes.Of<Of1>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of2 Give2(long a) => Bytes.Of<Of2>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of3 Give3(long a) => Bytes.Of<Of3>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of4 Give4(long a) => Bytes.Of<Of4>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of8 Give8(long a) => Bytes.Of<Of8>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of12 Give12(long a) => Bytes.Of<Of12>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of16 Give16(long a) => Bytes.Of<Of16>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of16Mixed GiveMixed(long a) => Bytes.Of<Of16Mixed>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of24 Give24(long a) => Bytes.Of<Of24>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of32 Give32(long a) => Bytes.Of<Of32>(Pv.Mix(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Of64 Give64(long a) => Bytes.Of<Of64>(Pv.Mix(a));
}

public static unsafe class InstanceReturnsSmallStructs
{
    public static long Run(long a)
    {
        var giver = new Giver { Number = a };
        return Bytes.Sum(giver.Give1()) + Bytes.Sum(giver.Give3()) + Bytes.Sum(giver.Give8()) + Bytes.Sum(giver.Give12())
            + Bytes.Sum(giver.Give16()) + Bytes.Sum(giver.GiveMixed());
    }

    private sealed class Giver
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of1 Give1() => Bytes.Of<Of1>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of3 Give3() => Bytes.Of<Of3>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of8 Give8() => Bytes.Of<Of8>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of12 Give12() => Bytes.Of<Of12>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of16 Give16() => Bytes.Of<Of16>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of16Mixed GiveMixed() => Bytes.Of<Of16Mixed>(Pv.Mix(Number));
    }
}

public static unsafe class InstanceReturnsLargeStructs
{
    public static long Run(long a)
    {
        var giver = new Giver { Number = a };
        return Bytes.Sum(giver.Give24(2)) + Bytes.Sum(giver.Give32()) + Bytes.Sum(giver.Give64());
    }

    private sealed class Giver
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of24 Give24(long a) => Bytes.Of<Of24>(Pv.Join(Number, a));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of32 Give32() => Bytes.Of<Of32>(Pv.Mix(Number));

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Of64 Give64() => Bytes.Of<Of64>(Pv.Mix(Number));
    }
}

public static unsafe class StructsByValue
{
    public static long Run(long a) => Site(Bytes.Of<Of3>(a), Bytes.Of<Of64>(a), Bytes.Of<Of16Mixed>(a), Bytes.Of<Of24>(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(Of3 a, Of64 b, Of16Mixed c, Of24 d) => Pv.Join(Bytes.Sum(a) + Bytes.Sum(b), Bytes.Sum(c) ^ Pv.Mix(Bytes.Sum(d)));
}
