using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Tests.Memory;

public sealed unsafe class PhysicalMemoryTests
{
    private const ulong Size = PhysicalMemory.MinSize;

    [TestCase(0ul)]
    [TestCase(Size - 4096)]
    [TestCase(PhysicalMemory.MaxSize + 4096)]
    [TestCase(ulong.MaxValue)]
    public void A_size_out_of_range_is_refused(ulong size)
        => Assert.That(() => new PhysicalMemory(size), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_size_that_is_not_whole_pages_is_refused()
        => Assert.That(() => new PhysicalMemory(Size + 1), Throws.ArgumentException);

    [Test]
    public void Fresh_memory_is_zero_and_starts_on_a_page()
    {
        using var memory = new PhysicalMemory(Size);
        Assert.That((ulong)memory.Base % PhysicalMemory.PageSize, Is.Zero);
        Assert.That(memory.Span(0, (int)Size).ContainsAnyExcept((byte)0), Is.False);
    }

    [TestCase(0ul, 0ul, true)]
    [TestCase(0ul, Size, true)]
    [TestCase(0ul, Size + 1, false)]
    [TestCase(Size - 8, 8ul, true)]
    [TestCase(Size - 7, 8ul, false)]
    [TestCase(Size, 0ul, false)]
    [TestCase(ulong.MaxValue, 1ul, false)]
    [TestCase(ulong.MaxValue - 3, 8ul, false)]
    [TestCase(8ul, ulong.MaxValue, false)]
    public void Bytes_are_RAM_only_if_all_of_them_are(ulong address, ulong length, bool expected)
    {
        using var memory = new PhysicalMemory(Size);
        Assert.That(memory.Contains(address, length), Is.EqualTo(expected));
    }

    [TestCase(Size - 7)]
    [TestCase(Size)]
    [TestCase(ulong.MaxValue - 2)]
    public void An_access_outside_is_a_typed_error_with_the_address_or_a_no(ulong address)
    {
        using var memory = new PhysicalMemory(Size);
        Assert.That(() => memory.Read<ulong>(address), Throws.TypeOf<PhysicalAccessException>().With.Property("Address").EqualTo(address));
        Assert.That(() => memory.Write(address, 1ul), Throws.TypeOf<PhysicalAccessException>().With.Property("Length").EqualTo(8ul));
        Assert.That(memory.TryRead(address, out ulong _), Is.False);
        Assert.That(memory.TryWrite(address, 1ul), Is.False);
    }

    [TestCase(0ul)]
    [TestCase(4093ul)]
    [TestCase(Size - 8)]
    public void What_is_written_is_read_at_any_alignment_lowest_byte_first(ulong address)
    {
        using var memory = new PhysicalMemory(Size);
        memory.Write(address, 0x0102_0304_0506_0708ul);
        Assert.That(memory.Read<ulong>(address), Is.EqualTo(0x0102_0304_0506_0708ul));
        Assert.That(memory.Read<byte>(address), Is.EqualTo(8));
        Assert.That(memory.TryRead(address, out uint low), Is.True);
        Assert.That(low, Is.EqualTo(0x0506_0708));
    }

    [Test]
    public void Disposed_memory_answers_no_access_and_may_be_disposed_again()
    {
        var memory = new PhysicalMemory(Size);
        memory.Dispose();
        memory.Dispose();
        Assert.That(() => memory.Read<byte>(0), Throws.InstanceOf<ObjectDisposedException>());
    }
}
