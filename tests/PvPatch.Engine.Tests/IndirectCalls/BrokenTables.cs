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

    public static class Managed
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Is managed")]
        public static delegate*<void> Slot;
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

    public static class Bool
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a bool")]
        public static delegate* unmanaged<bool, void> Slot;
    }

    public static class ByReference
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Takes a reference")]
        public static delegate* unmanaged<ref int, void> Slot;
    }

    public static class Suppressed
    {
        [PvOp("a.b", PvOpClass.PatchedCall, "Skips the transition")]
        public static delegate* unmanaged[SuppressGCTransition]<void> Slot;
    }
}
