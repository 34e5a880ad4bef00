using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.Tests.PatchedCalls.Growth;

/// <summary>Which targets can be written at their sites, and in which forms.</summary>
internal sealed class InlineBodyTests
{
    [TestCase(nameof(Targets.Guarded), "it has protected regions")]
    [TestCase(nameof(Targets.Kept), "it is marked NoInlining")]
    [TestCase(nameof(Targets.Locked), "it takes a lock")]
    [TestCase(nameof(Targets.Pinning), "it pins an object until it returns")]
    [TestCase(nameof(Targets.OnStack), "localloc has its meaning in a method of its own only")]
    [TestCase(nameof(Targets.Asking), "MethodBase.GetCurrentMethod asks for its caller")]
    public void Is_refused(string method, string reason)
    {
        Assert.That(InlineBody.Of(typeof(Targets).GetMethod(method)!, out string? refusal), Is.Null);
        Assert.That(refusal, Is.EqualTo(reason));
    }

    [Test]
    public void A_class_with_a_static_constructor_is_refused()
    {
        Assert.That(InlineBody.Of(typeof(Initialised).GetMethod(nameof(Initialised.Get))!, out string? refusal), Is.Null);
        Assert.That(refusal, Is.EqualTo("a call of it runs its class's static constructor"));
    }

    [Test]
    public void What_has_no_IL_is_refused()
    {
        var made = new DynamicMethod("made", typeof(int), []);
        made.GetILGenerator().Emit(OpCodes.Ldc_I4_0);
        made.GetILGenerator().Emit(OpCodes.Ret);
        Assert.That(InlineBody.Of(made.CreateDelegate<Func<int>>().Method, out string? refusal), Is.Null);
        Assert.That(refusal, Does.StartWith("its IL cannot be read").Or.EqualTo("it has no IL"));
    }

    [TestCase(nameof(Targets.Add), "add", 2)]
    [TestCase(nameof(Targets.Square), "dup; mul", 1)]
    [TestCase(nameof(Targets.Second), null, 0)]
    [TestCase(nameof(Targets.First), "", 1)]
    [TestCase(nameof(Targets.Five), "ldc.i4.5; conv.i8", 0)]
    [TestCase(nameof(Targets.Larger), null, 0)]
    public void Arguments_that_are_pushed_in_order_are_on_the_stack_already(string method, string? code, int kept)
    {
        InlineBody body = InlineBody.Of(typeof(Targets).GetMethod(method)!, out string? refusal)!;
        Assert.That(refusal, Is.Null);
        SiteForm? form = new InlineForms(body, body.Code).OnStack(_ => true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(form is null ? null : string.Join("; ", form.Code.Select(i => i.Code.Name)), Is.EqualTo(code));
            Assert.That(form?.Kept ?? 0, Is.EqualTo(kept));
        }
    }

    [Test]
    public void An_argument_that_would_be_cut_on_the_way_is_cut_only_on_top_of_the_stack()
    {
        InlineBody body = InlineBody.Of(typeof(Targets).GetMethod(nameof(Targets.Narrow))!, out _)!;
        var forms = new InlineForms(body, body.Code);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(forms.OnStack(i => i == 0)!.Code[0].Code, Is.EqualTo(OpCodes.Conv_U1), "the last one is cut where it is");
            Assert.That(forms.OnStack(i => i == 1), Is.Null, "another lies over the first one");
            Assert.That(forms.InLocals().Locals.Take(2), Is.EqualTo(new[] { typeof(short), typeof(byte) }), "variables cut as parameters do");
        }
    }

    internal static class Targets
    {
        public static long Add(long a, long b) => a + b;

        public static long Square(long a) => a * a;

        public static long Second(long _, long b) => b;

        public static long First(long a, long _) => a;

        public static long Five() => 5;

        public static long Larger(long a, long b) => a > b ? a : b;

        public static int Narrow(short a, byte b) => a + b;

        public static long Guarded(long a)
        {
            try
            {
                return 1 / a;
            }
            catch (DivideByZeroException)
            {
                return 0;
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Kept(long a) => a;

        [MethodImpl(MethodImplOptions.Synchronized)]
        public static long Locked(long a) => a;

        public static unsafe long Pinning(byte[] bytes)
        {
            fixed (byte* first = bytes)
                return *first;
        }

        public static unsafe long OnStack(int size)
        {
            byte* bytes = stackalloc byte[size];
            return bytes[0];
        }

        public static string Asking() => MethodBase.GetCurrentMethod()!.Name;
    }

    internal static class Initialised
    {
        private static readonly long Value;

        [SuppressMessage("Performance", "CA1810", Justification = "The explicit static constructor is what is tested.")]
        static Initialised() => Value = Environment.ProcessId;

        public static long Get() => Value;
    }
}
