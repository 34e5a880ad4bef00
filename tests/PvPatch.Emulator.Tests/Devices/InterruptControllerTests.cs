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
    public void Nothing_is_ever_requested_or_in_service()
    {
        var chips = new InterruptController();
        chips.Write(0x20, 0x0b);
        Assert.That((chips.Read(0x20), chips.Read(0xa0)), Is.EqualTo(((byte)0, (byte)0)));
    }
}
