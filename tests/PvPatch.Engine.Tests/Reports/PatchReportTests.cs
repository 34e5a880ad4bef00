using System.Text.Json;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.Reports;

internal sealed class PatchReportTests
{
    private static readonly PatchReport Sample = new(
    [
        new PatchedSite
        {
            Op = "irq.save_fl",
            Class = PvOpClass.PatchedCall | PvOpClass.AssemblyMacro,
            Module = "Guest",
            Method = "Guest.Irq.SaveFlags",
            MethodToken = 0x06000001,
            IlOffset = 13,
            Replacement = "call Native.SaveFlags",
            Way = PatchWay.Image,
            Before = "ldsflda Pv::Irq; ldfld IrqOps::SaveFlags; stloc.0 | ldloc.0; calli",
            After = "nop x11 | nop; call Native::SaveFlags",
            State = SiteState.Patched,
        },
        new PatchedSite
        {
            Op = "irq.save_fl",
            Class = PvOpClass.PatchedCall,
            Module = "Guest",
            Method = "Guest.Boot.Check",
            MethodToken = 0x06000002,
            IlOffset = 5,
            Before = "ldfld IrqOps::SaveFlags; ret",
            State = SiteState.Left,
            Reason = "it escapes: returned",
        },
    ]);

    [Test]
    public void The_text_tells_what_is_not_patched_before_what_is() =>
        Assert.That(Sample.ToString(), Is.EqualTo("""
            2 sites: 1 patched, 0 deferred, 1 left

            op           patched  deferred  left
            irq.save_fl        1         0     1

            Left: it escapes: returned
              irq.save_fl  Guest!Guest.Boot.Check IL_0005
                             ldfld IrqOps::SaveFlags; ret

            Patched
              irq.save_fl  call Native.SaveFlags  Image  Guest!Guest.Irq.SaveFlags IL_000d

            """.ReplaceLineEndings("\n")));

    [Test]
    public void The_text_of_nothing_says_so() => Assert.That(new PatchReport([]).ToString(), Is.EqualTo("0 sites: 0 patched, 0 deferred, 0 left\n"));

    [Test]
    public void In_a_long_report_the_totals_stand_first_and_sites_of_one_reason_together()
    {
        var report = new PatchReport([.. Enumerable.Range(0, 500).Select(i => Sample.Sites[i % 2] with { IlOffset = i })]);
        string[] lines = report.ToString().Split('\n');
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines[0], Is.EqualTo("500 sites: 250 patched, 0 deferred, 250 left"));
            Assert.That(lines.Count(l => l.StartsWith("Left: ", StringComparison.Ordinal)), Is.EqualTo(1));
            Assert.That(lines, Has.Length.EqualTo(1 + 1 + 2 + 1 + 1 + 500 + 1 + 1 + 250 + 1));
        }
    }

    [Test]
    public void The_JSON_keeps_its_schema()
    {
        using JsonDocument json = JsonDocument.Parse(Sample.ToJson());
        JsonElement root = json.RootElement, first = root.GetProperty("sites")[0], second = root.GetProperty("sites")[1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(root.EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "version", "totals", "ops", "sites" }));
            Assert.That(root.GetProperty("version").GetInt32(), Is.EqualTo(1));
            Assert.That(root.GetProperty("totals").GetProperty("patched").GetInt32(), Is.EqualTo(1));
            Assert.That(root.GetProperty("ops").GetProperty("irq.save_fl").GetProperty("left").GetInt32(), Is.EqualTo(1));
            Assert.That(
                first.EnumerateObject().Select(p => p.Name),
                Is.EqualTo(new[] { "op", "class", "module", "method", "methodToken", "ilOffset", "replacement", "way", "before", "after", "state", "reason" }));
            Assert.That(first.GetProperty("class").GetString(), Is.EqualTo("PatchedCall, AssemblyMacro"));
            Assert.That(first.GetProperty("way").GetString(), Is.EqualTo("Image"));
            Assert.That(first.GetProperty("reason").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(second.GetProperty("state").GetString(), Is.EqualTo("Left"));
        }
    }
}
