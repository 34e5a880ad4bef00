using BenchmarkDotNet.Attributes;

namespace PvPatch.Perf.Rows;

/// <summary>How calls follow each other.</summary>
public enum CallShape
{
    /// <summary>None needs the one before.</summary>
    Loop,

    /// <summary>Each needs the result of the one before.</summary>
    Chain,
}

/// <summary>The op <c>x = (5x + 1) &amp; mask</c>, called in every way that a .NET program has.</summary>
[MemoryDiagnoser]
public class CallCosts : LoopCosts
{
    private LoopForms _forms = null!;

    /// <summary>How the calls follow each other.</summary>
    [ParamsAllValues]
    public CallShape Shape { get; set; }

    /// <summary>Makes the copies.</summary>
    [GlobalSetup]
    public void SetUp() => _forms = Forms(Shape == CallShape.Loop ? HandLoops.Loop : HandLoops.Chain, $"{Shape}");

    /// <summary>The op's work written into the loop.</summary>
    [Benchmark(Description = "hand-written", Baseline = true, OperationsPerInvoke = Calls)]
    public long HandWritten() => Run(_forms.HandWritten);

    /// <summary>A call that is inlined.</summary>
    [Benchmark(Description = "direct call, inlined", OperationsPerInvoke = Calls)]
    public long DirectInlined() => Run<CallWays.DirectInlined>();

    /// <summary>Patched before it was loaded.</summary>
    [Benchmark(Description = "PvPatch: patched, image", OperationsPerInvoke = Calls)]
    public long PatchedImage() => Run(_forms.Image);

    /// <summary>Patched before it ran.</summary>
    [Benchmark(Description = "PvPatch: patched, in place", OperationsPerInvoke = Calls)]
    public long PatchedInPlace() => Run(_forms.InPlace);

    /// <summary>Patched when it was hot.</summary>
    [Benchmark(Description = "PvPatch: patched, late", OperationsPerInvoke = Calls)]
    public long PatchedLate() => Run(_forms.Late);

    /// <summary>A struct type argument with a static abstract method.</summary>
    [Benchmark(Description = "static abstract, struct generic", OperationsPerInvoke = Calls)]
    public long StaticAbstract() => Run<CallWays.StaticAbstract>();

    /// <summary>An interface in a static readonly field, of which the JIT knows the class.</summary>
    [Benchmark(Description = "static readonly interface", OperationsPerInvoke = Calls)]
    public long StaticReadonly() => Run<CallWays.StaticReadonly>();

    /// <summary>A class that nothing can derive from.</summary>
    [Benchmark(Description = "sealed class", OperationsPerInvoke = Calls)]
    public long Sealed() => Run<CallWays.Sealed>();

    /// <summary>A virtual method with one class; the JIT guesses it from the profile.</summary>
    [Benchmark(Description = "virtual, 1 class", OperationsPerInvoke = Calls)]
    public long Virtual() => Run<CallWays.Virtual>();

    /// <summary>An interface with one class; the JIT guesses it from the profile.</summary>
    [Benchmark(Description = "interface, 1 class", OperationsPerInvoke = Calls)]
    public long Interface() => Run<CallWays.Interface>();

    /// <summary>Two classes in turn.</summary>
    [Benchmark(Description = "interface, 2 classes", OperationsPerInvoke = Calls)]
    public long Interface2() => Run<CallWays.Interface2>();

    /// <summary>Four classes in turn.</summary>
    [Benchmark(Description = "interface, 4 classes", OperationsPerInvoke = Calls)]
    public long Interface4() => Run<CallWays.Interface4>();

    /// <summary>Sixteen classes in turn.</summary>
    [Benchmark(Description = "interface, 16 classes", OperationsPerInvoke = Calls)]
    public long Interface16() => Run<CallWays.Interface16>();

    /// <summary>Sixteen classes in an order that cannot be predicted.</summary>
    [Benchmark(Description = "interface, 16 classes shuffled", OperationsPerInvoke = Calls)]
    public long Interface16Shuffled() => Run<CallWays.Interface16Shuffled>();

    /// <summary>A call that stays one.</summary>
    [Benchmark(Description = "direct call, not inlined", OperationsPerInvoke = Calls)]
    public long Direct() => Run<CallWays.Direct>();

    /// <summary>A managed function pointer.</summary>
    [Benchmark(Description = "delegate* managed", OperationsPerInvoke = Calls)]
    public long ManagedPointer() => Run<CallWays.ManagedPointer>();

    /// <summary>A delegate of a static method.</summary>
    [Benchmark(Description = "delegate", OperationsPerInvoke = Calls)]
    public long ByDelegate() => Run<CallWays.ByDelegate>();

    /// <summary>A delegate of emitted code.</summary>
    [Benchmark(Description = "delegate of a DynamicMethod", OperationsPerInvoke = Calls)]
    public long Emitted() => Run<CallWays.Emitted>();

    /// <summary>A delegate of two methods.</summary>
    [Benchmark(Description = "multicast delegate, 2 targets", OperationsPerInvoke = Calls)]
    public long Multicast() => Run<CallWays.Multicast>();

    /// <summary>A pointer to native code, without a transition.</summary>
    [Benchmark(Description = "delegate* to libc, SuppressGCTransition", OperationsPerInvoke = Calls)]
    public long NativePointerNoTransition() => Run<CallWays.NativePointerNoTransition>();

    /// <summary>P/Invoke without a transition.</summary>
    [Benchmark(Description = "P/Invoke libc, SuppressGCTransition", OperationsPerInvoke = Calls)]
    public long PInvokeNoTransition() => Run<CallWays.PInvokeNoTransition>();

    /// <summary>P/Invoke.</summary>
    [Benchmark(Description = "P/Invoke libc", OperationsPerInvoke = Calls)]
    public long PInvoke() => Run<CallWays.PInvoke>();

    /// <summary>A pointer to native code.</summary>
    [Benchmark(Description = "delegate* unmanaged to libc", OperationsPerInvoke = Calls)]
    public long NativePointer() => Run<CallWays.NativePointer>();

    /// <summary>Through the slot, as before patching.</summary>
    [Benchmark(Description = "PvPatch: slot, unpatched", OperationsPerInvoke = Calls)]
    public long Slot() => Run(_forms.Slot);

    /// <summary>The same by hand: a pointer to a method that is compiled for native callers.</summary>
    [Benchmark(Description = "delegate* to UnmanagedCallersOnly", OperationsPerInvoke = Calls)]
    public long UnmanagedCallersOnly() => Run<CallWays.UnmanagedCallersOnly>();

    /// <summary>MethodInfo.Invoke.</summary>
    [Benchmark(Description = "reflection", OperationsPerInvoke = Calls)]
    public long Reflection() => Run<CallWays.Reflection>();

    private long Run<TWay>()
        where TWay : struct, ICallWay => Run(Shape == CallShape.Loop ? WayLoops.Loop<TWay> : WayLoops.Chain<TWay>);
}
