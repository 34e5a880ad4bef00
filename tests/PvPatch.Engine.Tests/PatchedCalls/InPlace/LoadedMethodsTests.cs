using System.Reflection;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>The methods of a loaded module by their tokens.</summary>
internal sealed class LoadedMethodsTests
{
    [Test]
    public void Every_token_leads_to_the_method_that_the_runtime_resolves()
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        Module module = typeof(Patcher).Module;
        MethodBase[] expected = [.. module.GetTypes().SelectMany(t => t.GetMethods(All).Concat<MethodBase>(t.GetConstructors(All)))];
        var methods = new LoadedMethods(module);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(expected, Has.Length.GreaterThan(500));
            foreach (MethodBase method in expected)
            {
                Assert.That(methods.Of(method.MetadataToken), Is.EqualTo(module.ResolveMethod(method.MetadataToken)), $"{method.DeclaringType}.{method.Name}");
                Assert.That(methods.IlOf(method.MetadataToken), Is.EqualTo(method.GetMethodBody()?.GetILAsByteArray()), $"{method.DeclaringType}.{method.Name}");
            }
        }
    }
}
