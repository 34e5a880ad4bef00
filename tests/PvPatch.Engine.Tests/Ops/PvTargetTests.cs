using PvPatch.Engine.Ops;
using PvPatch.Engine.Tests.IndirectCalls;

namespace PvPatch.Engine.Tests.Ops;

internal sealed unsafe class PvTargetTests
{
    [Test]
    public void A_method_is_the_same_target_however_it_is_named()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(PvTarget.Method(SampleTargets.Twice), Is.EqualTo(PvTarget.Method(typeof(SampleTargets), nameof(SampleTargets.Twice))));
            Assert.That(PvTarget.Method(SampleTargets.Add).ToString(), Is.EqualTo("SampleTargets.Add"), "it takes a pointer");
        }
    }

    [Test]
    public void Lambdas_methods_of_objects_and_several_methods_are_no_targets()
    {
        Func<double, double> twice = SampleTargets.Twice;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => PvTarget.Method((double x) => x * 2), Throws.ArgumentException);
            Assert.That(() => PvTarget.Method("text".Insert), Throws.ArgumentException);
            Assert.That(() => PvTarget.Method(twice + twice), Throws.ArgumentException);
            Assert.That(() => PvTarget.Method(typeof(Math), nameof(Math.Abs)), Throws.ArgumentException.With.Message.Contain("static methods named Abs"));
        }
    }
}
