using PvPatch.Emulator.Exits;
using PvPatch.Hosts.Bare;
using PvPatch.Hosts.Kvm;

namespace PvPatch.Hosts;

/// <summary>A host that can be asked for by name.</summary>
/// <param name="Key">The word a user types.</param>
/// <param name="Aliases">Other words for it.</param>
/// <param name="Create">Makes one; each serves one machine.</param>
public sealed record KnownHost(string Key, IReadOnlyList<string> Aliases, Func<IPlatform> Create);

/// <summary>All hosts there are: a new hypervisor is a new row.</summary>
public static class KnownHosts
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<KnownHost> All { get; } =
    [
        new("bare", ["none", "native", "bare hardware"], () => new BareHardware()),
        new("kvm", ["KVMKVMKVM"], () => new KvmHost()),
    ];

    /// <summary>Finds a host by its key or an alias, whatever the case; null if no row has it.</summary>
    public static KnownHost? Find(string name)
        => All.FirstOrDefault(host => IsNamed(host.Key, name) || host.Aliases.Any(alias => IsNamed(alias, name)));

    private static bool IsNamed(string word, string name) => string.Equals(word, name, StringComparison.OrdinalIgnoreCase);
}
