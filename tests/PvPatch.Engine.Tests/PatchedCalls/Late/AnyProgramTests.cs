using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.Late;

namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>The copier over every method of programs that know nothing of it: each is copied and compiles, or is refused with a reason.</summary>
internal sealed class AnyProgramTests
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Every_method_is_copied_and_compiles_or_is_refused(string file)
    {
        Assembly assembly = file == typeof(object).Assembly.Location ? typeof(object).Assembly : Assembly.LoadFrom(file);
        int copied = 0, generic = 0;
        var refusals = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (MethodBase method in TypesOf(assembly).SelectMany(t => t.GetMethods(Declared).Cast<MethodBase>().Concat(t.GetConstructors(Declared))))
        {
            if (method.ContainsGenericParameters || method.IsGenericMethod)
            {
                generic++;
                continue;
            }

            byte[]? before = method.GetMethodBody()?.GetILAsByteArray();
            string? refusal = RefusalOf(method);
            Assert.That(method.GetMethodBody()?.GetILAsByteArray(), Is.EqualTo(before), $"{method.DeclaringType}.{method.Name} is as before");
            if (refusal is null)
                copied++;
            else
                refusals[refusal] = refusals.GetValueOrDefault(refusal) + 1;
        }

        TestContext.Out.WriteLine(
            $"{copied} copied and compiled, {generic} generic; {string.Join(", ", refusals.OrderByDescending(r => r.Value).Select(r => $"{r.Value} {r.Key}"))}");
        Assert.That(copied, Is.GreaterThan(50));
    }

    /// <summary>Why a method has no copy; <see langword="null"/> for one whose copy is compiled.</summary>
    private static string? RefusalOf(MethodBase method)
    {
        try
        {
            if (MethodCopy.Of(method, out string? refusal) is not { } copy)
                return refusal is null ? throw new InvalidOperationException("refused without a reason") : WithoutPlace(refusal);
            Assert.That(EntrySwap.Compiled(copy), Is.Not.Zero, $"{method.DeclaringType}.{method.Name}");
            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or TypeLoadException or MissingMemberException)
        {
            // What it needs is not there: then the method itself cannot be compiled either.
            Assert.That(() => RuntimeHelpers.PrepareMethod(method.MethodHandle), Throws.Exception, $"{method.DeclaringType}.{method.Name}: {e.Message}");
            return "it needs what is not there";
        }
    }

    private static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException e)
        {
            return e.Types.OfType<Type>();
        }
    }

    /// <summary>The reason without the offset in the method.</summary>
    private static string WithoutPlace(string refusal) => System.Text.RegularExpressions.Regex.Replace(refusal, " at [0-9]+", "", default, TimeSpan.FromSeconds(1));
}
