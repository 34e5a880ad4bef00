using System.Globalization;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Tests.Linux.Spaces;

/// <summary>No frame is had twice, none is lost, and neighbours lie side by side.</summary>
internal sealed class FrameAllocatorTests
{
    private const ulong Page = PhysicalMemory.PageSize;

    [TestCase(0x40_0000ul)]
    [TestCase(0x5555_5555_4000ul)]
    [TestCase(0x7fff_fff0_0000ul)]
    public void Neighbours_lie_side_by_side_whatever_is_taken_between(ulong start)
    {
        using var memory = new PhysicalMemory(64 << 20);
        var frames = new FrameAllocator(memory);
        ulong first = frames.TakeFor(start);
        for (ulong i = 1; i < 100; i++)
        {
            frames.Take();
            Assert.That(frames.TakeFor(start + (i * Page)), Is.EqualTo(first + (i * Page)));
        }
    }

    [TestCase(256ul)]
    [TestCase(257ul)]
    [TestCase(319ul)]
    [TestCase(1000ul)]
    public void All_frames_but_the_first_can_be_had_once(ulong count)
    {
        using var memory = new PhysicalMemory(count * Page);
        var frames = new FrameAllocator(memory);
        var had = new HashSet<ulong>();
        for (ulong i = 1; i < count; i++)
            Assert.That(had.Add(i % 2 == 0 ? frames.Take() : frames.TakeFor(i * 7 * Page)), $"frame {i}");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(had.Min(), Is.EqualTo(Page));
            Assert.That(had.Max(), Is.EqualTo((count - 1) * Page));
            Assert.That((frames.Take(), frames.TakeFor(Page), frames.Free), Is.EqualTo((0ul, 0ul, 0ul)));
        }
    }

    [Test]
    public void Whatever_is_taken_and_given_the_frames_are_zeros_and_counted()
    {
        const int Count = 300;
        int seed = Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 20261123;
        var random = new Random(seed);
        using var memory = new PhysicalMemory(Count * Page);
        var frames = new FrameAllocator(memory);
        var held = new List<ulong>();
        int most = 0;
        for (int step = 0; step < 20_000; step++)
        {
            if (held.Count > 0 && random.Next(100) < (step / 2000 % 2 == 0 ? 45 : 55))
            {
                int place = random.Next(held.Count);
                frames.Give(held[place]);
                held.RemoveAt(place);
            }
            else if ((random.Next(2) == 0 ? frames.Take() : frames.TakeFor((ulong)random.NextInt64(1 << 30) * Page)) is not 0 and var frame)
            {
                Assert.That(held, Has.No.Member(frame), $"seed {seed}, step {step}");
                Assert.That(memory.Span(frame, (int)Page).ContainsAnyExcept((byte)0), Is.False, $"seed {seed}, step {step}");
                memory.Span(frame, (int)Page).Fill((byte)step);
                held.Add(frame);
            }
            else
            {
                Assert.That(held, Has.Count.EqualTo(Count - 1), $"seed {seed}, step {step}");
            }

            most = Math.Max(most, held.Count);
            Assert.That((frames.Free, frames.Most), Is.EqualTo(((ulong)(Count - 1 - held.Count), (ulong)most)), $"seed {seed}, step {step}");
        }

        Assert.That(held.Except(frames.Used), Is.Empty);
    }

    [Test]
    public void A_shared_frame_is_free_when_its_last_page_has_given_it_back()
    {
        using var memory = new PhysicalMemory(PhysicalMemory.MinSize);
        var frames = new FrameAllocator(memory);
        ulong frame = frames.Take();
        frames.Share(frame);
        frames.Give(frame);
        Assert.That(frames.Free, Is.EqualTo((PhysicalMemory.MinSize / Page) - 2));
        frames.Give(frame);
        Assert.That(frames.Free, Is.EqualTo((PhysicalMemory.MinSize / Page) - 1));
    }
}
