using System.Reflection;

namespace PvPatch.Engine.Ops;

/// <summary>
/// What a slot holds. A closed set: what a call site is patched to follows from it by a few ordered rules, as in Linux's
/// <c>alt_replace_call</c> (arch/x86/kernel/alternative.c).
/// </summary>
public abstract record PvTarget
{
    private PvTarget() { }

    /// <summary>Nothing was installed: a call stops loudly with the op's name.</summary>
    public static PvTarget Missing { get; } = new MissingTarget();

    /// <summary>The op does nothing. Only for ops that return <see langword="void"/>.</summary>
    public static PvTarget Nop { get; } = new NopTarget();

    /// <summary>The op returns its only argument.</summary>
    public static PvTarget Identity { get; } = new IdentityTarget();

    /// <summary>The op returns this number whatever its arguments are.</summary>
    /// <param name="value">
    /// The number, truncated to the op's return type: an integer, an enumeration, a character, a pointer, a floating-point
    /// number. Of a truth value, whatever is not 0 is true; of a reference, 0 is null, and there is no other.
    /// </param>
    public static PvTarget Constant(long value) => new ConstantTarget(value);

    /// <summary>The op returns this real number whatever its arguments are.</summary>
    /// <param name="value">The number, rounded to the op's return type, which is <see langword="float"/> or <see langword="double"/>.</param>
    public static PvTarget ConstantReal(double value) => new RealTarget(value);

    /// <summary>The op is this plain static method.</summary>
    /// <param name="method">A static, non-generic method with the slot's parameter and return types.</param>
    public static PvTarget Method(MethodInfo method) => new MethodTarget(method);

    /// <summary>The op is the method that is named here: <c>PvTarget.Method(Crc32.Add)</c>. No delegate is ever called.</summary>
    /// <param name="method">A static, non-generic method with the slot's parameter and return types, which is not overloaded.</param>
    /// <exception cref="ArgumentException">It is a lambda or belongs to an object, or is several methods.</exception>
    public static PvTarget Method(Delegate method) => new MethodTarget(Named(method));

    /// <summary>The op is the static method of this name, in a class that is known only when the program runs: a plug-in's.</summary>
    /// <param name="type">The class that declares it.</param>
    /// <param name="name">Its name, which must not be overloaded.</param>
    /// <exception cref="ArgumentException">The class has no static method of that name, or several.</exception>
    public static PvTarget Method(Type type, string name) => Method(Found(type, name));

    /// <summary>
    /// The op is this plain static method, and its IL is written at the sites wherever it can stand there; elsewhere they
    /// call it. The report says which.
    /// </summary>
    /// <param name="method">As for <see cref="Method(MethodInfo)"/>.</param>
    public static PvTarget Inline(MethodInfo method) => new MethodTarget(method, IsInline: true);

    /// <summary>As <see cref="Inline(MethodInfo)"/>, for the method that is named here.</summary>
    /// <param name="method">As for <see cref="Method(Delegate)"/>.</param>
    /// <exception cref="ArgumentException">It is a lambda or belongs to an object, or is several methods.</exception>
    public static PvTarget Inline(Delegate method) => new MethodTarget(Named(method), IsInline: true);

    private static MethodInfo Named(Delegate method)
    {
        ArgumentNullException.ThrowIfNull(method);
        return method.HasSingleTarget && method.Target is null
            ? method.Method
            : throw new ArgumentException($"{method.Method.Name} is not the name of one static method.", nameof(method));
    }

    private static MethodInfo Found(Type type, string name)
    {
        ArgumentNullException.ThrowIfNull(type);
        const BindingFlags AnyStatic = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        MethodInfo[] found = [.. type.GetMethods(AnyStatic).Where(m => string.Equals(m.Name, name, StringComparison.Ordinal))];
        return found.Length == 1
            ? found[0]
            : throw new ArgumentException($"{type.FullName} has {found.Length} static methods named {name}; a target needs exactly one.", nameof(name));
    }

    /// <summary>See <see cref="Missing"/>.</summary>
    internal sealed record MissingTarget : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => "missing";
    }

    /// <summary>See <see cref="Nop"/>.</summary>
    internal sealed record NopTarget : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => "nop";
    }

    /// <summary>See <see cref="Identity"/>.</summary>
    internal sealed record IdentityTarget : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => "identity";
    }

    /// <summary>See <see cref="Constant"/>.</summary>
    /// <param name="Value">The number returned.</param>
    internal sealed record ConstantTarget(long Value) : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => $"constant {Value}";
    }

    /// <summary>See <see cref="ConstantReal"/>.</summary>
    /// <param name="Value">The number returned.</param>
    internal sealed record RealTarget(double Value) : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => FormattableString.Invariant($"constant {Value:R}");
    }

    /// <summary>See <see cref="Method(MethodInfo)"/>.</summary>
    /// <param name="Info">The static method.</param>
    /// <param name="IsInline">Whether its IL is written at the sites, as with <see cref="Inline(MethodInfo)"/>.</param>
    internal sealed record MethodTarget(MethodInfo Info, bool IsInline = false) : PvTarget
    {
        /// <inheritdoc/>
        public override string ToString() => $"{(IsInline ? "inline " : "")}{Info.DeclaringType?.Name}.{Info.Name}";
    }
}
