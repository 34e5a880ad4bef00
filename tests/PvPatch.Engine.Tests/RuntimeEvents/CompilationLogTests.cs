using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Tests.RuntimeEvents;

/// <summary>Events that come in the order of threads, or are missing.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class CompilationLogTests
{
    private const long Thread = 7, Other = 8;

    private static readonly MethodName A = new("T", "A", "void  ()"), B = new("T", "B", "void  ()"), Small = new("T", "Small", "void  ()");

    private readonly CompilationLog _log = new();

    [Test]
    public void A_decision_belongs_to_what_its_thread_compiles()
    {
        _log.Begin(Thread, 10, 1, A);
        _log.Begin(Other, 11, 2, B);
        _log.Decide(Thread, A, Small, null);
        _log.Decide(Other, B, Small, "too big");
        _log.End(Thread, Body(1, A, 20));
        _log.End(Other, Body(2, B, 21));
        Assert.That(Told(), Is.EquivalentTo(new[] { "A 10-20: Small", "B 11-21: not Small" }));
    }

    [Test]
    public void A_compilation_within_another_one_is_told_apart()
    {
        _log.Begin(Thread, 10, 1, A);
        _log.Begin(Thread, 12, 2, B);
        _log.Decide(Thread, B, Small, null);
        _log.End(Thread, Body(2, B, 14));
        _log.Decide(Thread, A, B, null);
        _log.End(Thread, Body(1, A, 16));
        Assert.That(Told(), Is.EquivalentTo(new[] { "B 12-14: Small", "A 10-16: B" }));
    }

    [Test]
    public void A_lost_beginning_leaves_the_decisions_that_came()
    {
        _log.Decide(Thread, A, Small, null);
        _log.End(Thread, Body(1, A, 20));
        Assert.That(Told(), Is.EqualTo(new[] { "A ?-20: Small" }));
    }

    [Test]
    public void A_lost_end_does_not_pass_its_decisions_on()
    {
        _log.Begin(Thread, 10, 1, A);
        _log.Decide(Thread, A, Small, null);
        _log.Begin(Thread, 20, 1, A);
        _log.End(Thread, Body(1, A, 30));
        _log.Begin(Thread, 40, 2, B);
        _log.End(Thread, Body(2, B, 50));
        Assert.That(Told(), Is.EquivalentTo(new[] { "A 20-30: ", "B 40-50: " }));
    }

    [Test]
    public void What_was_begun_and_never_ended_goes_with_the_one_around_it()
    {
        _log.Begin(Thread, 10, 1, A);
        _log.Begin(Thread, 12, 2, B);
        _log.Decide(Thread, B, Small, null);
        _log.End(Thread, Body(1, A, 20));
        _log.End(Thread, Body(2, B, 30));
        Assert.That(Told(), Is.EquivalentTo(new[] { "A 10-20: ", "B ?-30: " }));
    }

    [Test]
    public void Code_that_was_freed_is_not_that_of_the_next_method_with_its_number()
    {
        _log.End(Thread, Body(1, A, 20));
        _log.Free(1);
        _log.End(Thread, Body(1, B, 30));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Told(), Is.EqualTo(new[] { "B ?-30: " }));
            Assert.That(_log.Ended, Is.EqualTo(2));
        }
    }

    private static Compilation Body(ulong method, MethodName name, long ready) =>
        new() { MethodId = method, Name = name, Ready = ready, Tier = CodeTier.Tier1, Address = 0x1000, Token = 0x06000001 };

    private IEnumerable<string> Told() =>
        _log.Bodies.Select(b => $"{b.Name.Name} {b.Begun?.ToString() ?? "?"}-{b.Ready}: {string.Join(", ", b.Decisions.Select(d => d.Refusal is null ? d.Inlinee.Name : $"not {d.Inlinee.Name}"))}");
}
