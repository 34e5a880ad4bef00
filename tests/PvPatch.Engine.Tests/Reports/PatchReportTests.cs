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
    public void The_text_has_a_row_a_site_and_counts() =>
        Assert.That(Sample.ToString(), Is.EqualTo("""
            Patched  irq.save_fl in Guest!Guest.Irq.SaveFlags IL_000d: call Native.SaveFlags
                     ldsflda Pv::Irq; ldfld IrqOps::SaveFlags; stloc.0 | ldloc.0; calli
                  -> nop x11 | nop; call Native::SaveFlags
            Left     irq.save_fl in Guest!Guest.Boot.Check IL_0005: it escapes: returned
                     ldfld IrqOps::SaveFlags; ret
            irq.save_fl: 1 patched, 0 deferred, 1 left
            total: 1 patched, 0 deferred, 1 left

            """.ReplaceLineEndings("\n")));

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
