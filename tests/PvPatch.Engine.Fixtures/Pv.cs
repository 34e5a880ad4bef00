using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Fixtures;

public struct Pair
{
    public long First;
    public long Second;
    public long Third;
}

public unsafe struct MathOps
{
    [PvOp("math.add", PvOpClass.PatchedCall, "Adds")]
    public delegate* unmanaged<long, long, long> Add;

    [PvOp("math.negate", PvOpClass.PatchedCall, "Negates")]
    public delegate* unmanaged<long, long> Negate;

    [PvOp("math.bump", PvOpClass.PatchedCall, "Counts a call")]
    public delegate* unmanaged<long*, void> Bump;

    [PvOp("math.narrow", PvOpClass.PatchedCall, "Cuts a number")]
    public delegate* unmanaged<int, sbyte> Narrow;
}

/// <summary>Ops whose targets leave no call.</summary>
public unsafe struct SmallOps
{
    public int Revision;

    [PvOp("small.nothing", PvOpClass.PatchedCall, "Does nothing")]
    public delegate* unmanaged<long*, long, void> Nothing;

    [PvOp("small.ten", PvOpClass.PatchedCall, "Does nothing with ten arguments")]
    public delegate* unmanaged<long, long, long, long, long, long, long, long, long, long, void> Ten;

    [PvOp("small.same", PvOpClass.PatchedCall, "Gives its argument")]
    public delegate* unmanaged<long, long> Same;

    [PvOp("small.same_byte", PvOpClass.PatchedCall, "Gives its argument, a byte")]
    public delegate* unmanaged<byte, byte> SameByte;

    [PvOp("small.seven", PvOpClass.PatchedCall, "Gives a small number")]
    public delegate* unmanaged<long, int> Seven;

    [PvOp("small.minus_one", PvOpClass.PatchedCall, "Gives a number of 64 bits")]
    public delegate* unmanaged<ulong> MinusOne;

    [PvOp("small.huge", PvOpClass.PatchedCall, "Gives a number that needs 64 bits")]
    public delegate* unmanaged<long, long> Huge;
}

public unsafe struct InnerOps
{
    public long Unrelated;

    [PvOp("deep.get", PvOpClass.PatchedCall | PvOpClass.SimpleIndirectCall, "Stands two structs deep")]
    public delegate* unmanaged<int, int> Get;
}

public struct DeepOps
{
    public InnerOps Inner;
}

/// <summary>Ops that cannot be patched, for one reason each.</summary>
public unsafe struct StubbornOps
{
    [PvOp("stubborn.set_up", PvOpClass.SimpleIndirectCall, "Is of class 1")]
    public delegate* unmanaged<long, long> SetUp;

    [PvOp("stubborn.entry", PvOpClass.AssemblyMacro, "Is of class 3")]
    public delegate* unmanaged<long, long> Entry;

    [PvOp("stubborn.absent", PvOpClass.PatchedCall, "Is never installed")]
    public delegate* unmanaged<long, long> Absent;

    [PvOp("stubborn.private", PvOpClass.PatchedCall, "Has a private target")]
    public delegate* unmanaged<long, long> Private;

    [PvOp("stubborn.foreign", PvOpClass.PatchedCall, "Has a target that this module does not refer to")]
    public delegate* unmanaged<double, double> Foreign;

    [PvOp("stubborn.by_hand", PvOpClass.PatchedCall, "Is written by hand")]
    public delegate* unmanaged<long, long> ByHand;
}

public static unsafe class Pv
{
    public static MathOps Math;
    public static SmallOps Small;
    public static DeepOps Deep;
    public static StubbornOps Stubborn;
    public static InlineOps Inline;

    [PvOp("plain.mean", PvOpClass.PatchedCall, "Stands in a static field of its own")]
    public static delegate* unmanaged<double, double, double> Mean;

    [PvOp("plain.root", PvOpClass.PatchedCall, "Has a target that this module refers to")]
    public static delegate* unmanaged<double, double> Root;

    [PvOp("plain.turn", PvOpClass.PatchedCall, "Takes and gives a struct")]
    public static delegate* unmanaged<Pair, Pair> Turn;

    [PvOp("copies.mark", PvOpClass.SimpleIndirectCall, "Counts a call in the copy of this assembly that it belongs to")]
    public static delegate* unmanaged<void> Mark;
}

/// <summary>Tells which copy of this assembly was called.</summary>
public static unsafe class Copies
{
    public static int Marks;

    public static void Call() => Pv.Mark();

    internal static void Mark() => Marks++;
}

internal static unsafe class Native
{
    internal static long Add(long a, long b) => a + b;

    internal static long Negate(long a) => -a;

    internal static void Bump(long* counter) => ++*counter;

    internal static sbyte Narrow(int a) => unchecked((sbyte)a);

    internal static int Get(int a) => a * 3;

    internal static double Mean(double a, double b) => (a + b) / 2;

    internal static Pair Turn(Pair p) => new() { First = p.Third, Second = p.First, Third = p.Second };

    internal static long SetUp(long a) => a + 100;

    internal static double OfThisModule(double a) => Math.Sqrt(a);

#pragma warning disable IDE0051 // installed by name
    private static long Private(long a) => a + 1000;
#pragma warning restore IDE0051
}
