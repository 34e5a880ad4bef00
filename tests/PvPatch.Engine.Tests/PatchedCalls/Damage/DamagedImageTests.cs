using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Damage;

/// <summary>Whatever a file holds, planning ends with a typed error or with a report.</summary>
internal sealed class DamagedImageTests
{
    private static readonly string Sound = FixtureProgram.FileOf(FixtureProgram.Names[1]);

    [Test]
    public void A_file_that_is_not_there() => Refused("/nowhere/guest.dll", PatchError.FileUnreadable, "/nowhere/guest.dll cannot be read: ");

    [Test]
    public void A_directory() => Refused(AppContext.BaseDirectory, PatchError.FileUnreadable, $"{AppContext.BaseDirectory} cannot be read: ");

    [Test]
    public void An_empty_file() => Refused([], PatchError.NotAnImage, "guest.dll is no portable executable.");

    [Test]
    public void Text() => Refused("MOV AX, BX"u8.ToArray(), PatchError.NotAnImage, "guest.dll is no portable executable.");

    [Test]
    public void A_header_without_more() => Refused("MZ"u8.ToArray(), PatchError.BadImage, "guest.dll is damaged: ");

    [Test]
    public void Native_code_alone()
    {
        byte[] bytes = File.ReadAllBytes(Sound);
        bytes.AsSpan(CorHeaderEntry(bytes), 8).Clear();
        Refused(bytes, PatchError.NotManaged, "guest.dll holds no managed code.");
    }

    [Test]
    public void Native_code_beside_IL()
    {
        byte[] bytes = File.ReadAllBytes(Sound);
        using var pe = new System.Reflection.PortableExecutable.PEReader(new MemoryStream(bytes));
        bytes[pe.PEHeaders.CorHeaderStartOffset + 16] &= 0xFE; // COMIMAGE_FLAGS_ILONLY, partition II, 25.3.3.1
        Refused(bytes, PatchError.MixedMode, "guest.dll mixes IL with native code.");
    }

    [Test]
    public void Two_images_of_one_name()
    {
        string copy = Written(File.ReadAllBytes(Sound));
        var error = Assert.Throws<PatchException>(() => Patcher.Plan(FixtureProgram.Of(FixtureProgram.Names[1]).Table, [Sound, copy]));
        Assert.That(error!.Error, Is.EqualTo(PatchError.DuplicateImage));
    }

    [Test]
    public void Two_thousand_mutations_of_a_sound_image()
    {
        const int Seed = 20251122, Rounds = 2000;
        var random = new Random(Seed);
        byte[] sound = File.ReadAllBytes(Sound);
        var outcomes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutated = [.. sound];
            if (round % 10 == 0)
                mutated = mutated[..random.Next(mutated.Length)];
            for (int flips = random.Next(1, 8); flips > 0 && mutated.Length > 0; flips--)
                mutated[random.Next(round % 3 == 0 ? Math.Min(1024, mutated.Length) : mutated.Length)] ^= (byte)(1 << random.Next(8));
            string outcome = OutcomeOf(mutated, $"seed {Seed}, round {round}");
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        TestContext.Out.WriteLine(string.Join(", ", outcomes.OrderByDescending(o => o.Value).Select(o => $"{o.Value} {o.Key}")));
        Assert.That(outcomes.Keys, Has.Count.GreaterThan(3));
    }

    private static string OutcomeOf(byte[] bytes, string which)
    {
        try
        {
            PatchPlan plan = Patcher.Plan(FixtureProgram.Of(FixtureProgram.Names[1]).Table, [Written(bytes)]);
            return plan.Report.Sites.Count > 0 ? "reports" : "empty reports";
        }
        catch (PatchException e)
        {
            return e.Error.ToString();
        }
        catch (Exception e)
        {
            Assert.Fail($"{which}: {e}");
            throw;
        }
    }

    private static void Refused(byte[] bytes, PatchError expected, string message) => Refused(Written(bytes), expected, message);

    private static void Refused(string file, PatchError expected, string message)
    {
        var error = Assert.Throws<PatchException>(() => Patcher.Plan(FixtureProgram.Of(FixtureProgram.Names[1]).Table, [file]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error!.Error, Is.EqualTo(expected));
            Assert.That(error.Message, Does.StartWith(message));
        }
    }

    private static string Written(byte[] bytes)
    {
        string file = Path.Combine(Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "damaged")).FullName, "guest.dll");
        File.WriteAllBytes(file, bytes);
        return file;
    }

    /// <summary>Where the optional header points to the CLI header (partition II, 25.2.3.3).</summary>
    private static int CorHeaderEntry(byte[] bytes)
    {
        using var pe = new System.Reflection.PortableExecutable.PEReader(new MemoryStream(bytes));
        bool isWide = pe.PEHeaders.PEHeader!.Magic == System.Reflection.PortableExecutable.PEMagic.PE32Plus;
        return pe.PEHeaders.PEHeaderStartOffset + (isWide ? 224 : 208);
    }
}
