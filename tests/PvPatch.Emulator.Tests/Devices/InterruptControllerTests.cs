using PvPatch.Emulator.Devices;

namespace PvPatch.Emulator.Tests.Devices;

public sealed class InterruptControllerTests
{
    [TestCase(InterruptController.First)]
    [TestCase(InterruptController.Second)]
    public void Initialisation_takes_its_words_and_then_the_mask_is_the_mask(ushort command)
    {
        var chips = new InterruptController();
        var data = (ushort)(command + 1);
        chips.Write(data, 0x5a);
        chips.Write(command, 0x11); // edge, cascade, fourth word follows
        Assert.That(chips.Read(data), Is.Zero, "initialisation clears the mask");
        chips.Write(data, 0x30);
        chips.Write(data, 0x04);
        chips.Write(data, 0x01);
        chips.Write(data, 0xff);
        Assert.That((chips.Read(data), chips.VectorBase(command)), Is.EqualTo(((byte)0xff, (byte)0x30)));
    }

    [TestCase(0x12, 1, TestName = "Alone, without a fourth word: one word follows")]
    [TestCase(0x13, 2, TestName = "Alone, with a fourth word: two words follow")]
    [TestCase(0x10, 2, TestName = "Cascaded, without a fourth word: two words follow")]
    [TestCase(0x11, 3, TestName = "Cascaded, with a fourth word: three words follow")]
    public void The_first_word_says_how_many_follow(byte first, int following)
    {
        var chips = new InterruptController();
        chips.Write(0x20, first);
        for (int word = 0; word < following; word++) chips.Write(0x21, 0x08);
        Assert.That(chips.Read(0x21), Is.Zero);
        chips.Write(0x21, 0xfb);
        Assert.That(chips.Read(0x21), Is.EqualTo(0xfb));
    }

    [Test]
    public void The_request_of_the_highest_priority_is_acknowledged_first_and_blocks_lower_ones_until_its_end()
    {
        InterruptController chips = Ready();
        chips.Pulse(4);
        chips.Pulse(1);
        chips.Pulse(12);
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x31));
        Assert.That(chips.HasRequest, Is.False, "input 1 is in service");
        chips.Pulse(0);
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x30));
        chips.Write(0x20, 0x20);
        chips.Write(0x20, 0x20);
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x3c), "input 12 stands at the place of input 2");
        Assert.That(chips.HasRequest, Is.False);
        chips.Write(0xa0, 0x20);
        chips.Write(0x20, 0x62);
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x34));
    }

    [Test]
    public void A_masked_request_waits_and_the_registers_tell_what_is_requested_and_in_service()
    {
        InterruptController chips = Ready();
        chips.Write(0x21, 0x20);
        chips.Pulse(5);
        chips.Pulse(3);
        Assert.That(chips.Read(0x20), Is.EqualTo(0x28));
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x33));
        chips.Write(0x20, 0x0b);
        Assert.That(chips.Read(0x20), Is.EqualTo(0x08));
        chips.Write(0x20, 0x20);
        Assert.That(chips.HasRequest, Is.False);
        chips.Write(0x21, 0);
        Assert.That(chips.HasRequest, Is.True);
    }

    [Test]
    public void A_request_that_went_away_is_the_spurious_one_and_not_in_service()
    {
        InterruptController chips = Ready();
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x37));
        chips.Write(0x20, 0x0b);
        Assert.That(chips.Read(0x20), Is.Zero);
    }

    [Test]
    public void With_automatic_ends_nothing_stays_in_service()
    {
        InterruptController chips = Ready(fourthWord: 3);
        chips.Pulse(1);
        chips.Acknowledge();
        chips.Pulse(6);
        Assert.That(chips.Acknowledge(), Is.EqualTo(0x36));
    }

    /// <summary>Both initialised as Linux does, vectors 0x30 and 0x38, nothing masked.</summary>
    private static InterruptController Ready(byte fourthWord = 1)
    {
        var chips = new InterruptController();
        foreach ((ushort port, byte value) in new (ushort, byte)[]
        {
            (0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, fourthWord), (0xa0, 0x11), (0xa1, 0x38), (0xa1, 2), (0xa1, fourthWord), (0x21, 0), (0xa1, 0),
        })
        {
            chips.Write(port, value);
        }

        return chips;
    }
}
