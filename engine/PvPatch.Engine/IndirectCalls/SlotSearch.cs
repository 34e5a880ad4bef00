using System.Reflection;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>Finds the slots below static classes.</summary>
internal static class SlotSearch
{
    private const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public
        | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Every op of the roots, in the order of declaration.</summary>
    /// <exception cref="PatchException">A slot stands where none can be, or there is none.</exception>
    public static IReadOnlyList<PvOp> Find(IReadOnlyList<Type> roots)
    {
        var found = new List<PvOp>();
        foreach (Type root in roots)
        {
            if (root.IsGenericType)
                throw new PatchException(PatchError.UnsupportedRoot, $"{root} is generic: each instantiation would have slots of its own.");
            foreach (FieldInfo field in FieldsOf(root))
                AddRoot(field, found);
        }

        CheckNames(found);
        return found;
    }

    private static void AddRoot(FieldInfo field, List<PvOp> found)
    {
        if (!field.IsStatic)
        {
            if (OpOf(field) is { } op)
                throw new PatchException(PatchError.NotASlot, $"{Name(field)} is not static, so {op.Name} has no fixed place.") { Op = op.Name };
            return;
        }

        if (field.FieldType.IsClass && FieldsOf(field.FieldType).Any(f => OpOf(f) is not null))
            throw new PatchException(PatchError.UnsupportedRoot, $"{Name(field)} refers to an object: its slots have no fixed place.");

        int before = found.Count;
        AddBelow([field], found);
        if (found.Count > before && field.IsDefined(typeof(ThreadStaticAttribute), inherit: false))
            throw new PatchException(PatchError.UnsupportedRoot, $"{Name(field)} is thread-static: each thread would have slots of its own.");
    }

    /// <summary>Adds the slot at the end of a path, or the slots in the struct there.</summary>
    private static void AddBelow(FieldInfo[] path, List<PvOp> found)
    {
        FieldInfo field = path[^1];
        Type type = field.FieldType;
        if (OpOf(field) is { } op)
        {
            found.Add(Checked(op, path));
        }
        else if (type.IsValueType && !type.IsPrimitive && !type.IsEnum)
        {
            foreach (FieldInfo inner in FieldsOf(type).Where(f => !f.IsStatic))
                AddBelow([.. path, inner], found);
        }
    }

    private static PvOp Checked(PvOpAttribute op, FieldInfo[] path)
    {
        FieldInfo slot = path[^1];
        if (string.IsNullOrEmpty(op.Name) || op.Class == default)
            throw new PatchException(PatchError.NotASlot, $"{Name(slot)} declares an op without a name or a class.") { Op = op.Name };
        if (!slot.FieldType.IsFunctionPointer || !slot.FieldType.IsUnmanagedFunctionPointer)
            throw new PatchException(PatchError.NotASlot, $"{op.Name} is declared on {Name(slot)}, which is no unmanaged function pointer.") { Op = op.Name };
        if (path.FirstOrDefault(f => f.IsInitOnly) is { } readOnly)
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} cannot be installed: {Name(readOnly)} is read-only.") { Op = op.Name };
        if (path.FirstOrDefault(f => f.DeclaringType!.IsGenericType) is { } generic)
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} stands in {generic.DeclaringType}, which is generic.") { Op = op.Name };
        return new PvOp(op.Name, op.Class, op.Summary, path);
    }

    private static void CheckNames(List<PvOp> found)
    {
        if (found.Count == 0)
            throw new PatchException(PatchError.NoOps, "The root classes hold no slot: no field carries [PvOp].");
        if (found.GroupBy(o => o.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            string places = string.Join(" and ", twice.Select(o => string.Join('.', o.Path.Select(f => f.Name))));
            throw new PatchException(PatchError.DuplicateOp, $"{twice.Key} is declared {twice.Count()} times: {places}.") { Op = twice.Key };
        }
    }

    private static IEnumerable<FieldInfo> FieldsOf(Type type) => type.GetFields(Declared).OrderBy(f => f.MetadataToken);

    private static PvOpAttribute? OpOf(FieldInfo field) => field.GetCustomAttribute<PvOpAttribute>(inherit: false);

    private static string Name(FieldInfo field) => $"{field.DeclaringType!.FullName}.{field.Name}";
}
