using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Switching;

/// <summary>What every op of a table is to hold. Two sets are equal if all their targets are.</summary>
internal sealed class TargetSet : IEquatable<TargetSet>
{
    private readonly Dictionary<string, PvTarget> _targets;

    private TargetSet(Dictionary<string, PvTarget> targets) => _targets = targets;

    /// <summary>What is installed in a table.</summary>
    public static TargetSet Of(PvOpTable table) =>
        new(table.Ops.ToDictionary(o => o.Name, o => table.TargetOf(o.Name), StringComparer.Ordinal));

    /// <summary>What an op is to hold.</summary>
    public PvTarget TargetOf(string op) => _targets[op];

    /// <summary>This set with some targets in place of others.</summary>
    public TargetSet With(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        var changed = new Dictionary<string, PvTarget>(_targets, StringComparer.Ordinal);
        foreach ((string op, PvTarget target) in targets)
            changed[op] = target;
        return new TargetSet(changed);
    }

    /// <inheritdoc/>
    public bool Equals(TargetSet? other) =>
        other is not null && (ReferenceEquals(this, other) || (_targets.Count == other._targets.Count && _targets.All(t => t.Value == other._targets[t.Key])));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TargetSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = 0;
        foreach ((string op, PvTarget target) in _targets)
            hash ^= HashCode.Combine(op, target);
        return hash;
    }
}
