namespace PvPatch.Emulator.Translator;

/// <summary>What is known of the flags at a place in translated code.</summary>
/// <param name="Waiting">The operation whose flags wait.</param>
/// <param name="IsInLocal">A local says what waits; it is not known while code is written.</param>
/// <param name="IsBit">The result of what waits is 0 or 1.</param>
internal readonly record struct FlagState(LazyFlags Waiting, bool IsInLocal, bool IsBit = false)
{
    /// <summary>As <see cref="LazyFlags.Equals(LazyFlags)"/>.</summary>
    public bool Equals(FlagState other) => Waiting.Equals(other.Waiting) && IsInLocal == other.IsInLocal && IsBit == other.IsBit;

    /// <inheritdoc/>
    public override int GetHashCode() => Waiting.GetHashCode();

    /// <summary>RFLAGS is right.</summary>
    public static FlagState Settled => default;

    /// <summary>A local says what waits.</summary>
    public static FlagState InLocal => new(LazyFlags.None, true);
}
