using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Tests.Diagnosis;

/// <summary>Names as the runtime really writes them in its events.</summary>
internal sealed class EventNamesTests
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Parameters that names do not tell apart: they are taken to fit.</summary>
    private static readonly string[] Open = ["System.Span`1[System.Int32]", "System.Void(System.Int32)"];

    [Test]
    public void Each_overload_is_the_one_that_its_event_names()
    {
        MethodBase[] methods = [.. typeof(Overloads).GetMethods(Declared).Cast<MethodBase>().Concat(typeof(Overloads).GetConstructors(Declared)).Concat(typeof(Overloads.Inner<>).GetMethods(Declared))];
        var log = new CompilationLog();
        using (new CompilationListener(log))
        {
            foreach (MethodBase method in methods)
            {
                RuntimeTypeHandle[] arguments = [.. (method.DeclaringType!.IsGenericType ? [typeof(string)] : Type.EmptyTypes).Concat(method.IsGenericMethod ? [typeof(string)] : []).Select(t => t.TypeHandle)];
                RuntimeHelpers.PrepareMethod(method.MethodHandle, arguments);
            }

            Marker last = Marker.In(typeof(EventNamesTests).Module);
            Assert.That(() => log.Has(last.Name), Is.True.After(10_000, 1));
        }

        Dictionary<int, MethodName> told = log.Bodies.Where(b => methods.Any(m => m.MetadataToken == b.Token && b.Name.Type.Contains(nameof(Overloads), StringComparison.Ordinal)))
            .DistinctBy(b => b.Token).ToDictionary(b => b.Token, b => b.Name);
        using (Assert.EnterMultipleScope())
        {
            foreach (MethodBase method in methods)
            {
                MethodName name = told[method.MetadataToken];
                Assert.That(EventNames.KeyOf(method), Is.EqualTo(EventNames.KeyOf(name)));
                MethodBase[] meant = [.. methods.Where(m => EventNames.KeyOf(m) == EventNames.KeyOf(name) && EventNames.CanMean(name, m))];
                Assert.That(meant, Does.Contain(method), $"{name.Signature}");
                Assert.That(meant.Where(m => m != method && !IsOpen(m)), Is.Empty, $"{name.Signature}");
            }
        }
    }

    private static bool IsOpen(MethodBase method) => method.GetParameters() is [{ ParameterType: var only }] && Open.Contains($"{only}", StringComparer.Ordinal);

    [SuppressMessage("Performance", "CA1822", Justification = "Instance methods are written otherwise.")]
    [SuppressMessage("Style", "IDE0060", Justification = "Overloads differ by parameters alone.")]
    private sealed unsafe class Overloads
    {
        public Overloads(int a) => Sum = a;

        public Overloads(string a, nuint b) => Sum = a.Length + (int)b;

        private int Sum { get; }

        public static void Of() => _ = 0;

        public static void Of(int a) => _ = a;

        public static void Of(byte a) => _ = a;

        public static void Of(char a) => _ = a;

        public static void Of(nint a) => _ = a;

        public static void Of(string a) => _ = a;

        public static void Of(object a) => _ = a;

        public static void Of(ref int a) => _ = a;

        public static void Of(int* a) => _ = a;

        public static void Of(int[] a) => _ = a;

        public static void Of(DateTime a) => _ = a;

        public static void Of(Overloads a) => _ = a;

        public static void Of(Span<int> a) => _ = a.Length;

        public static void Of(delegate*<int, void> a) => _ = a;

        public static void Of<T>(T a) => _ = a;

        public static void Of<T>(T[] a) => _ = a;

        public int Of(int a, string b) => Sum + a + b.Length;

        public int Of(string a, int b) => Sum + a.Length + b;

        internal sealed class Inner<T>
        {
            public static T Of(T a) => a;

            public static T Of(T a, int b) => b > 0 ? a : throw new ArgumentOutOfRangeException(nameof(b));
        }
    }
}
