using System.Reflection;
using System.Reflection.Metadata;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>A protected region of a copy; offsets and lengths in bytes.</summary>
/// <param name="Kind">Catch, filter, finally or fault.</param>
/// <param name="TryOffset">Where the protected code starts.</param>
/// <param name="TryLength">Its length.</param>
/// <param name="HandlerOffset">Where the handler starts.</param>
/// <param name="HandlerLength">Its length.</param>
/// <param name="Caught">Of a catch, the type.</param>
/// <param name="FilterOffset">Of a filter, where it starts; else 0.</param>
internal readonly record struct CopiedRegion(
    ExceptionRegionKind Kind, int TryOffset, int TryLength, int HandlerOffset, int HandlerLength, Type? Caught, int FilterOffset);

/// <summary>What goes into a copy: a method's body as it is, patched in its old size, or grown.</summary>
internal sealed class CopiedBody
{
    private CopiedBody(System.Reflection.MethodBody old, byte[] il)
    {
        Il = il;
        MaxStack = old.MaxStackSize;
        InitLocals = old.InitLocals;
        Locals = [.. old.LocalVariables.Select(v => (v.LocalType, v.IsPinned))];
        Regions = [.. old.ExceptionHandlingClauses.Select(Region)];
    }

    /// <summary>The IL. Tokens are those of the method's module, but for the missing ones.</summary>
    public byte[] Il { get; }

    /// <summary>The instructions whose token is missing, by the offset of its four bytes.</summary>
    public IReadOnlyDictionary<int, MovableInstruction> Missing { get; private init; } = new Dictionary<int, MovableInstruction>();

    /// <summary>The most entries that the evaluation stack may hold.</summary>
    public int MaxStack { get; private init; }

    /// <summary>Whether local variables start as zero.</summary>
    public bool InitLocals { get; }

    /// <summary>Types of the local variables.</summary>
    public IReadOnlyList<(Type Type, bool IsPinned)> Locals { get; private init; }

    /// <summary>The protected regions.</summary>
    public IReadOnlyList<CopiedRegion> Regions { get; private init; }

    /// <summary>The same for equal bodies of one method, and for no others.</summary>
    public string Key => $"{Convert.ToHexString(Il)}{string.Concat(Missing.Select(m => $" {m.Key}={NameOf(m.Value)}"))}";

    /// <summary>A body of the size that it has in the image.</summary>
    public static CopiedBody Of(System.Reflection.MethodBody old, byte[] il) => new(old, il);

    /// <summary>A patched body.</summary>
    public static CopiedBody Of(System.Reflection.MethodBody old, RewrittenMethod patched, Module module)
    {
        if (patched.Growth is null)
            return new CopiedBody(old, patched.Il[..]);
        GrownMethod grown = IlGrower.Grow(patched.Body, patched.Il, patched.Growth);
        return new CopiedBody(old, grown.Il)
        {
            Missing = grown.Fixups.ToDictionary(f => f.Offset, f => f.Instruction),
            MaxStack = grown.MaxStack,
            Locals = [.. old.LocalVariables.Select(v => (v.LocalType, v.IsPinned)), .. patched.Growth.Locals.Select(t => (t, false))],
            Regions = [.. grown.Regions.Select(r => Region(r, module))],
        };
    }

    private static CopiedRegion Region(ExceptionHandlingClause clause) => new(
        (ExceptionRegionKind)clause.Flags, clause.TryOffset, clause.TryLength, clause.HandlerOffset, clause.HandlerLength,
        clause.Flags == ExceptionHandlingClauseOptions.Clause ? clause.CatchType ?? typeof(object) : null,
        clause.Flags == ExceptionHandlingClauseOptions.Filter ? clause.FilterOffset : 0);

    private static CopiedRegion Region(GrownRegion region, Module module) => new(
        region.Kind, region.TryOffset, region.TryLength, region.HandlerOffset, region.HandlerLength,
        region.Kind == ExceptionRegionKind.Catch ? module.ResolveType(region.Last) : null,
        region.Kind == ExceptionRegionKind.Filter ? region.Last : 0);

    /// <summary>A name that no other member has while the program runs.</summary>
    private static string NameOf(MovableInstruction instruction) => instruction.Member switch
    {
        MethodBase method => $"m{method.MethodHandle.Value:x}/{method.DeclaringType?.TypeHandle.Value:x}",
        FieldInfo field => $"f{field.FieldHandle.Value:x}/{field.DeclaringType?.TypeHandle.Value:x}",
        Type type => $"t{type.TypeHandle.Value:x}",
        _ => $"s{instruction.Text}",
    };
}
