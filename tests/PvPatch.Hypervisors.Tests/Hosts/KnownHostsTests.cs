using PvPatch.Hosts;

namespace PvPatch.Hypervisors.Tests.Hosts;

public sealed class KnownHostsTests
{
    [TestCase("bare", "bare hardware")]
    [TestCase("native", "bare hardware")]
    [TestCase("KVM", "KVM")]
    [TestCase("kvmkvmkvm", "KVM")]
    public void A_host_is_found_by_its_words_whatever_their_case(string word, string name)
        => Assert.That(KnownHosts.Find(word)!.Create().Name, Is.EqualTo(name));

    [Test]
    public void A_word_that_names_none_finds_none() => Assert.That(KnownHosts.Find("z/VM"), Is.Null);

    [Test]
    public void No_word_names_two_hosts()
    {
        IEnumerable<string> words = KnownHosts.All.SelectMany(host => host.Aliases.Append(host.Key)).Select(word => word.ToUpperInvariant());
        Assert.That(words, Is.Unique);
    }

    [Test]
    public void Each_creation_is_a_host_of_its_own()
    {
        foreach (KnownHost host in KnownHosts.All)
        {
            object first = host.Create(), second = host.Create();
            Assert.That(second, Is.Not.SameAs(first), host.Key);
        }
    }
}
