using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Fixtures;

public enum Shade : short
{
    Dark = -1,
    Light = 7,
}

public struct Both<T>
{
    public T First;
    public T Second;
}

/// <summary>Slots in objects that a read-only field leads to.</summary>
public sealed unsafe class ObjectOps
{
    public long Revision;

    [PvOp("object.negate", PvOpClass.PatchedCall, "Stands in an object")]
    public delegate* unmanaged<long, long> Negate;

    public NestedInObject Nested;

    public readonly InnerObject Inner = new();

    [field: PvOp("object.property", PvOpClass.PatchedCall, "Stands behind an automatic property of an object")]
    public delegate* unmanaged<long, long> Property { get; set; }

    public long ThroughThis_Left(long a) => Negate(a);
}

public unsafe struct NestedInObject
{
    public int Unrelated;

    [PvOp("object.nested", PvOpClass.PatchedCall, "Stands in a struct in an object")]
    public delegate* unmanaged<long, long> Add;
}

public abstract unsafe class InheritedOps
{
    [PvOp("object.inherited", PvOpClass.PatchedCall, "Stands in a base class")]
    public delegate* unmanaged<long, long> Inherited;
}

public sealed unsafe class InnerObject : InheritedOps
{
    [PvOp("object.inner", PvOpClass.PatchedCall, "Stands in an object in an object")]
    public delegate* unmanaged<long, long> Own;
}

/// <summary>The same object by a field that is no root.</summary>
public static class OtherWay
{
    private static readonly ObjectOps Kept = PvSlots.Object;

    public static ObjectOps Alias => Kept;
}

/// <summary>Every way to declare and to reach a slot, but plain static structs.</summary>
public static unsafe class PvSlots
{
    public static readonly ObjectOps Object = new();

    [PvOp("array.zero", PvOpClass.PatchedCall, "Is the first element", Index = 0)]
    [PvOp("array.three", PvOpClass.PatchedCall, "Is the fourth element", Index = 3)]
    public static readonly delegate* unmanaged<long, long>[] Array = new delegate* unmanaged<long, long>[5];

    [PvOp("managed.negate", PvOpClass.PatchedCall, "Is called as managed code")]
    public static delegate*<long, long> ManagedNegate;

    [PvOp("managed.text", PvOpClass.PatchedCall, "Takes and gives objects")]
    public static delegate*<string, object?, string> ManagedText;

    [PvOp("managed.by_ref", PvOpClass.PatchedCall, "Takes references")]
    public static delegate*<ref int, in int, out int, ref int> ManagedByRef;

    [PvOp("managed.span", PvOpClass.PatchedCall, "Takes a ref struct")]
    public static delegate*<ReadOnlySpan<long>, Both<string>, long> ManagedSpan;

    [PvOp("managed.none", PvOpClass.PatchedCall, "Gives null")]
    public static delegate*<long, string?> ManagedNone;

    [PvOp("convention.cdecl", PvOpClass.PatchedCall, "Is called as C does")]
    public static delegate* unmanaged[Cdecl]<long, long> Cdecl;

    [PvOp("convention.stdcall", PvOpClass.PatchedCall, "Is called as Windows does")]
    public static delegate* unmanaged[Stdcall]<long, long> Stdcall;

    [PvOp("convention.thiscall", PvOpClass.PatchedCall, "Is called as C++ does")]
    public static delegate* unmanaged[Thiscall]<long, long> Thiscall;

    [PvOp("convention.member", PvOpClass.PatchedCall, "Is called as a member of C++")]
    public static delegate* unmanaged[Cdecl, MemberFunction]<long, long> Member;

    [PvOp("type.not", PvOpClass.PatchedCall, "Takes and gives a truth value")]
    public static delegate* unmanaged<bool, bool> Not;

    [PvOp("type.by_ref", PvOpClass.PatchedCall, "Takes references to numbers")]
    public static delegate* unmanaged<ref int, in long, out short, void> ByRef;

    [PvOp("type.shade", PvOpClass.PatchedCall, "Takes and gives an enumeration")]
    public static delegate* unmanaged<Shade, Shade> Darker;

    [PvOp("type.both", PvOpClass.PatchedCall, "Takes and gives a generic struct")]
    public static delegate* unmanaged<Both<int>, Both<int>> Swap;

    [PvOp("type.money", PvOpClass.PatchedCall, "Takes and gives a decimal")]
    public static delegate* unmanaged<decimal, decimal> Money;

    [PvOp("type.pointer", PvOpClass.PatchedCall, "Takes and gives pointers")]
    public static delegate* unmanaged<long*, nint, nuint> Pointer;

    [PvOp("type.half", PvOpClass.PatchedCall, "Takes and gives floating-point numbers")]
    public static delegate* unmanaged<float, double, float> Half;

    [PvOp("constant.yes", PvOpClass.PatchedCall, "Gives a truth value")]
    public static delegate* unmanaged<long, bool> Yes;

    [PvOp("constant.letter", PvOpClass.PatchedCall, "Gives a character")]
    public static delegate*<char> Letter;

    [PvOp("constant.light", PvOpClass.PatchedCall, "Gives an enumeration")]
    public static delegate* unmanaged<Shade> Light;

    [PvOp("constant.pi", PvOpClass.PatchedCall, "Gives a double")]
    public static delegate* unmanaged<double, double, double, double> Pi;

    [PvOp("constant.quarter", PvOpClass.PatchedCall, "Gives a float")]
    public static delegate* unmanaged<float> Quarter;

    [PvOp("constant.address", PvOpClass.PatchedCall, "Gives a pointer")]
    public static delegate* unmanaged<long, void*> Address;

    [PvOp("parameter.of_table", PvOpClass.PatchedCall, "Takes a table")]
    public static delegate* unmanaged<MathOps*, long, long> OfTable;

    [PvOp("managed.read_only", PvOpClass.PatchedCall, "Gives a read-only reference")]
    public static delegate*<in long, ref readonly long> ReadOnly;

    [PvOp("volatile.negate", PvOpClass.PatchedCall, "Stands in a volatile field")]
    public static volatile delegate* unmanaged<long, long> Volatile;

    public static ObjectOps Instance => Object;

    public static ref MathOps Math => ref Pv.Math;

    public static PropertyOps Only { get; } = new();
}

public sealed unsafe class PropertyOps
{
    [PvOp("object.only", PvOpClass.PatchedCall, "Stands in the object of an automatic property")]
    public delegate* unmanaged<long, long> Negate;
}

internal static unsafe class SlotTargets
{
    internal static string Text(string a, object? b) => $"{a}{b}";

    internal static ref int ByRefs(ref int a, in int b, out int c)
    {
        c = a + b;
        a = b * 2;
        return ref a;
    }

    internal static long Span(ReadOnlySpan<long> a, Both<string> b) => a[0] + b.First.Length;

    internal static ref readonly long ReadOnly(in long a) => ref a;

    internal static bool Not(bool a) => !a;

    internal static void ByRef(ref int a, in long b, out short c)
    {
        c = (short)a;
        a = (int)b;
    }

    internal static Shade Darker(Shade a) => a - 1;

    internal static Both<int> Swap(Both<int> a) => new() { First = a.Second, Second = a.First };

    internal static decimal Money(decimal a) => a * 1.5m;

    internal static nuint Pointer(long* a, nint b) => (nuint)(*a + b);

    internal static float Half(float a, double b) => (float)(a * b * 0.5);
}

/// <summary>Sites of such slots. The name's end is the verdict.</summary>
public static unsafe class SlotShapes
{
    private static readonly ObjectOps Second = PvSlots.Object;

    public static long InObject_Direct(long a) => PvSlots.Object.Negate(a) + PvSlots.Object.Negate(2);

    public static long InObjectThroughLocal_Direct(long a)
    {
        ObjectOps ops = PvSlots.Object;
        long sum = 0;
        for (int i = 0; i < 5; i++)
            sum += ops.Negate(a + i) + ops.Nested.Add(i);
        return sum;
    }

    public static long InStructInObject_Direct(long a) => PvSlots.Object.Nested.Add(a);

    public static long ByRefToStructInObject_Direct(long a)
    {
        ref NestedInObject nested = ref PvSlots.Object.Nested;
        return nested.Add(a) * nested.Add(3);
    }

    public static long InObjectInObject_Direct(long a) => PvSlots.Object.Inner.Own(a) + PvSlots.Object.Inner.Inherited(a);

    public static long ByGetterOfObject_Direct(long a) => PvSlots.Instance.Negate(a) + PvSlots.Instance.Inner.Own(4);

    public static long ByAutomaticProperty_Direct(long a) => PvSlots.Object.Property(a) + PvSlots.Only.Negate(3);

    public static long ByGetterOfReference_Direct(long a) => PvSlots.Math.Negate(PvSlots.Math.Add(a, 1));

    public static long InArray_Direct(long a) => PvSlots.Array[3](a) + PvSlots.Array[0](PvSlots.Array[3](5));

    public static long InArrayThroughLocal_Direct(long a)
    {
        delegate* unmanaged<long, long>[] slots = PvSlots.Array;
        return a > 3 ? slots[0](a) : slots[3](a);
    }

    public static long InArrayByVariableOfOneValue_Direct(long a)
    {
        int index = 3;
        return PvSlots.Array[index](a) + PvSlots.Array[index](a + index);
    }

    public static long InArrayByRef_Direct(long a)
    {
        ref delegate* unmanaged<long, long> slot = ref PvSlots.Array[3];
        return slot(a);
    }

    public static long InArrayByVariable_Left(long a) => PvSlots.Array[(a & 1) == 0 ? 0 : 3](a);

    public static long ArrayWritten_Left(long a)
    {
        if (a < 0)
            PvSlots.Array[3] = null;
        return a;
    }

    public static long ObjectFromElsewhere_Left(long a) => Second.Negate(a);

    public static long ObjectByOtherGetter_Left(long a) => OtherWay.Alias.Negate(a);

    public static long TwoObjectsMerge_Left(long a) => (a > 3 ? PvSlots.Object : Second).Negate(a);

    public static long ThroughThis_Left(long a) => PvSlots.Object.ThroughThis_Left(a);

    public static long Managed_Direct(long a) => PvSlots.ManagedNegate(a) + PvSlots.ManagedNegate(PvSlots.ManagedNegate(1));

    public static long ManagedObjects_Direct(long a) => PvSlots.ManagedText("text", a).Length;

    public static long ManagedReferences_Direct(long a)
    {
        int x = (int)a, y = 5;
        PvSlots.ManagedByRef(ref x, in y, out int z)++;
        return x + (z * 100L);
    }

    public static long ManagedReadOnly_Direct(long a) => PvSlots.ReadOnly(in a) + 1;

    public static long ManagedRefStruct_Direct(long a)
    {
        ReadOnlySpan<long> numbers = stackalloc long[] { a, 2 };
        return PvSlots.ManagedSpan(numbers, new Both<string> { First = "abc" });
    }

    public static long Conventions_Direct(long a) =>
        PvSlots.Cdecl(a) + (2 * PvSlots.Stdcall(a)) + (3 * PvSlots.Thiscall(a)) + (5 * PvSlots.Member(a));

    public static long TruthValues_Direct(long a) => (PvSlots.Not(a > 3) ? 10 : 20) + (PvSlots.Not(PvSlots.Not(a == 5)) ? 1 : 2);

    public static long ReferencesToNumbers_Direct(long a)
    {
        int x = (int)a;
        long y = a * 2;
        PvSlots.ByRef(ref x, in y, out short z);
        return x + (z * 7L);
    }

    public static long Enumeration_Direct(long a) => (long)PvSlots.Darker((Shade)a);

    public static long GenericStruct_Direct(long a) => PvSlots.Swap(new Both<int> { First = (int)a, Second = 9 }).First;

    public static long Decimal_Direct(long a) => (long)PvSlots.Money(a);

    public static long Pointers_Direct(long a)
    {
        long x = a;
        return (long)PvSlots.Pointer(&x, 12);
    }

    public static long FloatingPoint_Direct(long a) => (long)PvSlots.Half(a, 3);

    public static long Constants_Inline(long a) =>
        (PvSlots.Yes(a) ? 1 : 0) + PvSlots.Letter() + (long)PvSlots.Light() + (long)(PvSlots.Pi(a, 2, 3) * 1000) + (long)(PvSlots.Quarter() * 100) + (long)PvSlots.Address(a);

    public static long Null_Inline(long a) => PvSlots.ManagedNone(a) is null ? a : -1;

    public static long VolatileSlot_Direct(long a) => PvSlots.Volatile(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long InlinedWrapper_Direct(long a) => PvSlots.Object.Negate(a);
}
