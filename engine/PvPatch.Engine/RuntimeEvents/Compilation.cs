namespace PvPatch.Engine.RuntimeEvents;

/// <summary>A method as the runtime names it in its events.</summary>
/// <param name="Type">Full name of the class, with the arguments of a generic one in brackets.</param>
/// <param name="Name">Name of the method.</param>
/// <param name="Signature">Its signature, in the runtime's own notation.</param>
internal sealed record MethodName(string Type, string Name, string Signature)
{
    /// <inheritdoc/>
    public override string ToString() => Type.Length == 0 ? Name : $"{Type}.{Name}";
}

/// <summary>What the JIT decided about one call that it could have inlined.</summary>
/// <param name="Inlinee">The method called.</param>
/// <param name="Refusal">Why it was not inlined, in the JIT's words; <see langword="null"/> if it was.</param>
internal readonly record struct InliningDecision(MethodName Inlinee, string? Refusal);

/// <summary>One body of native code: a compilation, or precompiled code that was fetched. Times are those of events, in units of 100 ns.</summary>
internal sealed record Compilation
{
    /// <summary>The runtime's number of the method, <see cref="RuntimeMethodHandle.Value"/>: one for each instantiation.</summary>
    public required ulong MethodId { get; init; }

    /// <summary>The runtime's number of the module; 0 for precompiled code.</summary>
    public ulong ModuleId { get; init; }

    /// <summary>The method's metadata token; 0 for emitted methods and precompiled code.</summary>
    public int Token { get; init; }

    /// <summary>The method's name.</summary>
    public required MethodName Name { get; init; }

    /// <summary>When it was begun; <see langword="null"/> if that was not told.</summary>
    public long? Begun { get; init; }

    /// <summary>When it was ready.</summary>
    public required long Ready { get; init; }

    /// <summary>How far it is optimised.</summary>
    public required CodeTier Tier { get; init; }

    /// <summary>Address of the code.</summary>
    public required nint Address { get; init; }

    /// <summary>Length of the code in bytes; 0 where it was not told.</summary>
    public int Size { get; init; }

    /// <summary>What the JIT decided about the calls in it, and about those in what it inlined.</summary>
    public IReadOnlyList<InliningDecision> Decisions { get; init; } = [];
}
