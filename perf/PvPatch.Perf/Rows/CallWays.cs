using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PvPatch.Perf.Rows;

/// <summary>A way to call the op <c>step</c>. The JIT makes a loop of its own for each struct that implements it, and inlines the way into it.</summary>
internal interface ICallWay
{
    /// <summary>One call.</summary>
    /// <param name="x">The op's argument.</param>
    /// <param name="i">Counts the calls.</param>
    static abstract long Step(long x, int i);
}

/// <summary>The loops around a way.</summary>
internal static class WayLoops
{
    public static long Loop<TWay>(int calls)
        where TWay : struct, ICallWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= TWay.Step(i, i);
        return sum;
    }

    public static long Chain<TWay>(int calls)
        where TWay : struct, ICallWay
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = TWay.Step(x, i);
        return x;
    }
}

/// <summary>Every way of calling a method that a .NET program has. What a program chooses at start-up stands in static fields, as slots do.</summary>
internal static unsafe partial class CallWays
{
    private const int Receivers = 4096, Seed = 1;

    internal struct DirectInlined : ICallWay
    {
        public static long Step(long x, int i) => LabTargets.Step(x);
    }

    internal struct Direct : ICallWay
    {
        public static long Step(long x, int i) => NotInlined(x);
    }

    internal struct StaticReadonly : ICallWay
    {
        private static readonly IStep Chosen = new Step0();

        public static long Step(long x, int i) => Chosen.Step(x);
    }

    internal struct Interface : ICallWay
    {
        private static IStep _chosen = new Step0();

        public static long Step(long x, int i) => _chosen.Step(x);
    }

    internal struct Interface2 : ICallWay
    {
        private static readonly IStep[] All = InTurn(2);

        public static long Step(long x, int i) => All[i & (Receivers - 1)].Step(x);
    }

    internal struct Interface4 : ICallWay
    {
        private static readonly IStep[] All = InTurn(4);

        public static long Step(long x, int i) => All[i & (Receivers - 1)].Step(x);
    }

    internal struct Interface16 : ICallWay
    {
        private static readonly IStep[] All = InTurn(16);

        public static long Step(long x, int i) => All[i & (Receivers - 1)].Step(x);
    }

    internal struct Interface16Shuffled : ICallWay
    {
        private static readonly IStep[] All = Shuffled();

        public static long Step(long x, int i) => All[i & (Receivers - 1)].Step(x);
    }

    internal struct Virtual : ICallWay
    {
        private static VirtualStep _chosen = new OverriddenStep();

        public static long Step(long x, int i) => _chosen.Step(x);
    }

    internal struct Sealed : ICallWay
    {
        private static SealedStep _chosen = new();

        public static long Step(long x, int i) => _chosen.Step(x);
    }

    internal struct ByDelegate : ICallWay
    {
        private static Func<long, long> _chosen = LabTargets.Step;

        public static long Step(long x, int i) => _chosen(x);
    }

    internal struct Multicast : ICallWay
    {
        private static Func<long, long> _chosen = (Func<long, long>)LabTargets.Step + LabTargets.Step;

        public static long Step(long x, int i) => _chosen(x);
    }

    internal struct ManagedPointer : ICallWay
    {
        private static delegate*<long, long> _chosen = &LabTargets.Step;

        public static long Step(long x, int i) => _chosen(x);
    }

    internal struct UnmanagedCallersOnly : ICallWay
    {
        private static delegate* unmanaged<long, long> _chosen = &Entry;

        public static long Step(long x, int i) => _chosen(x);
    }

    /// <summary>llabs leaves the positive as it is; the step is done here.</summary>
    internal struct NativePointer : ICallWay
    {
        private static delegate* unmanaged<long, long> _chosen = (delegate* unmanaged<long, long>)LibC("llabs");

        public static long Step(long x, int i) => LabTargets.Step(_chosen(x));
    }

    internal struct NativePointerNoTransition : ICallWay
    {
        private static delegate* unmanaged[SuppressGCTransition]<long, long> _chosen = (delegate* unmanaged[SuppressGCTransition]<long, long>)LibC("llabs");

        public static long Step(long x, int i) => LabTargets.Step(_chosen(x));
    }

    internal struct PInvoke : ICallWay
    {
        public static long Step(long x, int i) => LabTargets.Step(Llabs(x));
    }

    internal struct PInvokeNoTransition : ICallWay
    {
        public static long Step(long x, int i) => LabTargets.Step(LlabsNoTransition(x));
    }

    internal struct StaticAbstract : ICallWay
    {
        public static long Step(long x, int i) => Generic<StepByStruct>(x);

        private static long Generic<TStep>(long x)
            where TStep : struct, IStaticStep => TStep.Step(x);
    }

    internal struct Reflection : ICallWay
    {
        private static readonly MethodInfo Chosen = typeof(LabTargets).GetMethod(nameof(LabTargets.Step))!;

        public static long Step(long x, int i) => (long)Chosen.Invoke(null, [x])!;
    }

    internal struct Emitted : ICallWay
    {
        private static Func<long, long> _chosen = Emit();

        public static long Step(long x, int i) => _chosen(x);
    }

    internal interface IStaticStep
    {
        static abstract long Step(long x);
    }

    internal struct StepByStruct : IStaticStep
    {
        public static long Step(long x) => LabTargets.Step(x);
    }

    internal interface IStep
    {
        long Step(long x);
    }

    internal abstract class VirtualStep
    {
        public abstract long Step(long x);
    }

    private sealed class Step0 : IStep
    {
        public long Step(long x) => LabTargets.Step(x);
    }

    /// <summary>As many classes as numbers, for a generic class over different structs is one of its own each time.</summary>
    private sealed class StepOf<TNumber> : IStep
        where TNumber : struct
    {
        public long Step(long x) => LabTargets.Step(x);
    }

    private class OverriddenStep : VirtualStep
    {
        public override long Step(long x) => LabTargets.Step(x);
    }

    private sealed class SealedStep : VirtualStep
    {
        public override long Step(long x) => LabTargets.Step(x);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static long NotInlined(long x) => LabTargets.Step(x);

    [UnmanagedCallersOnly]
    internal static long Entry(long x) => LabTargets.Step(x);

    private static IStep[] InTurn(int types)
    {
        Type[] numbers =
        [
            typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(nint), typeof(nuint),
            typeof(Half), typeof(float), typeof(double), typeof(decimal), typeof(Int128), typeof(UInt128),
        ];
        IStep[] each = [.. numbers.Take(types).Select(number => (IStep)Activator.CreateInstance(typeof(StepOf<>).MakeGenericType(number))!)];
        return [.. Enumerable.Range(0, Receivers).Select(i => each[i % types])];
    }

    private static IStep[] Shuffled()
    {
        IStep[] all = InTurn(16);
        new Random(Seed).Shuffle(all);
        return all;
    }

    private static Func<long, long> Emit()
    {
        var method = new DynamicMethod("Step", typeof(long), [typeof(long)]);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(LabTargets).GetMethod(nameof(LabTargets.Step))!);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<long, long>>();
    }

    private static nint LibC(string name) => NativeLibrary.GetExport(NativeLibrary.Load("libc", typeof(CallWays).Assembly, null), name);

    [LibraryImport("libc", EntryPoint = "llabs")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long Llabs(long x);

    [LibraryImport("libc", EntryPoint = "llabs")]
    [SuppressGCTransition]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long LlabsNoTransition(long x);
}
