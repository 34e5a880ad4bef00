using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Tests.IndirectCalls;

/// <summary>Tables that cannot be, for one reason each.</summary>
public static unsafe class BrokenTables
{
    public struct Ops
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is a slot")]
        public delegate* unmanaged<void> Slot;
    }

#pragma warning disable CS9184 // a pointer can be no type argument, so the language has no index for it
    [InlineArray(4)]
    public struct InlineOps
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is the first of four")]
        public delegate* unmanaged<void> Slot;
    }
#pragma warning restore CS9184

    public struct GenericOps<T>
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is a slot")]
        public delegate* unmanaged<void> Slot;
        public T Value;
    }

    public sealed class ObjectOps
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is a slot")]
        public delegate* unmanaged<void> Slot;
    }

    public static class Empty
    {
        public static Ops[] Array = [];
    }

    public static class Twice
    {
        public static Ops First;
        public static Ops Second;
    }

    public static class Number
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is a number")]
        public static nint Slot;
    }

    public sealed class OnInstance
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is in objects")]
        public delegate* unmanaged<void> Slot;
    }

    public static class Nameless
    {
        [PvOp("", PvOpClass.PatchedCall, "Has no name")]
        public static delegate* unmanaged<void> Slot;
    }

    public static class Generic<T>
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is generic")]
        public static delegate* unmanaged<void> Slot;
        public static T? Value;
    }

    public static class HoldsGeneric
    {
        public static GenericOps<int> Ops;
    }

    public static class HoldsInlineArray
    {
        public static InlineOps Ops;
    }

    public static class PerThread
    {
        [ThreadStatic]
        public static Ops Ops;
    }

    public static class ReadOnly
    {
        public static readonly Ops Ops;
    }

    public static class InObject
    {
        public static ObjectOps Ops = new();
    }

    public static class Text
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a string")]
        public static delegate* unmanaged<string, void> Slot;
    }

    public static class Letter
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a character")]
        public static delegate* unmanaged<char, void> Slot;
    }

    public static class Moment
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a struct that the runtime lays out")]
        public static delegate* unmanaged<DateTime, void> Slot;
    }

    public static class Vector
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a vector")]
        public static delegate* unmanaged<System.Runtime.Intrinsics.Vector128<int>, void> Slot;
    }

    public static class Wide
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Gives 128 bits")]
        public static delegate* unmanaged<Int128> Slot;
    }

    public struct Flagged
    {
        public bool Flag;
    }

    public static class FlagInStruct
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a struct with a truth value")]
        public static delegate* unmanaged<Flagged, void> Slot;
    }

    public static class ReturnsReference
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Gives a reference")]
        public static delegate* unmanaged<ref int> Slot;
    }

    public static class ReferenceToText
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a reference to a string")]
        public static delegate* unmanaged<ref string, void> Slot;
    }

    public static class NoObject
    {
        public static readonly ObjectOps? Ops = Environment.ProcessId < 0 ? new ObjectOps() : null;
    }

    public static class WritableArray
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Can be replaced", Index = 0)]
        public static delegate* unmanaged<void>[] Slots = new delegate* unmanaged<void>[1];
    }

    public static class ShortArray
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is behind the end", Index = 2)]
        public static readonly delegate* unmanaged<void>[] Slots = new delegate* unmanaged<void>[2];
    }

    public static class NoIndex
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Does not say which")]
        public static readonly delegate* unmanaged<void>[] Slots = new delegate* unmanaged<void>[2];
    }

    public static class IndexOfOne
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Says which, of one", Index = 0)]
        public static delegate* unmanaged<void> Slot;
    }

    public static class TwoOfOne
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is there")]
        [PvOp("a.c", PvOpClass.PatchedCall, "Is there too")]
        public static delegate* unmanaged<void> Slot;
    }

    public static class SameElement
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is there", Index = 1)]
        [PvOp("a.c", PvOpClass.PatchedCall, "Is there too", Index = 1)]
        public static readonly delegate* unmanaged<void>[] Slots = new delegate* unmanaged<void>[2];
    }

    public static class ArrayOfNumbers
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is a number", Index = 0)]
        public static readonly nint[] Slots = new nint[1];
    }

    [StructLayout(LayoutKind.Explicit)]
    public struct OverlappingOps
    {
        [FieldOffset(0)]
        [PvOp("a.b", PvOpClass.PatchedCall, "Is there")]
        public delegate* unmanaged<void> First;

        [FieldOffset(0)]
        [PvOp("a.c", PvOpClass.PatchedCall, "Is there too")]
        public delegate* unmanaged<void> Second;
    }

    public static class Overlapping
    {
        public static OverlappingOps Ops;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct PackedOps
    {
        public byte Before;

        [PvOp("a.b", PvOpClass.PatchedCall, "Is not aligned")]
        public delegate* unmanaged<void> Slot;
    }

    public static class Packed
    {
        public static PackedOps Ops;
    }

    public static class Failing
    {
        public static readonly ObjectOps Ops = Environment.ProcessId < 0 ? new ObjectOps() : throw new NotSupportedException("not here");
    }

    public class GenericObject<T>
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is in a generic object")]
        public delegate* unmanaged<void> Slot;
        public T? Value;
    }

    /// <summary>Objects that refer to each other in every way, and to slots only by a field that can be replaced.</summary>
    public class Web
    {
        public readonly Web? A, B, C, D, E, F, G, H;
        public readonly OtherWeb? I, J, K, L;
        public ObjectOps? Replaceable;
    }

    public sealed class OtherWeb : Web
    {
        public readonly Web? M, N, O, P;
    }

    public static class Woven
    {
        public static readonly Web Web = new();
    }

    public static class InGenericObject
    {
        public static readonly GenericObject<string> Ops = new();
    }

    public static class WithRegisters
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is called with registers")]
        public static delegate* unmanaged[Fastcall]<void> Slot;
    }

    public static class Suppressed
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Skips the transition")]
        public static delegate* unmanaged[SuppressGCTransition]<void> Slot;
    }
}
