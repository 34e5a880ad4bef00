using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>Finds the slots that the static fields of some classes lead to.</summary>
internal sealed class SlotSearch
{
    private const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public
        | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly List<PvOp> _found = [];
    private readonly Dictionary<Type, bool> _leads = [];

    /// <summary>Every op of the roots, in the order of declaration.</summary>
    /// <exception cref="PatchException">A slot stands where none can be, or there is none.</exception>
    public static IReadOnlyList<PvOp> Find(IReadOnlyList<Type> roots)
    {
        var search = new SlotSearch();
        foreach (Type root in roots)
        {
            if (root.IsGenericType)
                throw new PatchException(PatchError.UnsupportedRoot, $"{root} is generic: each instantiation would have slots of its own.");
            foreach (FieldInfo field in FieldsOf(root).Where(f => f.IsStatic))
                search.AddRoot(field);
        }

        foreach (FieldInfo field in roots.SelectMany(FieldsOf).Where(f => !f.IsStatic))
        {
            if (OpsOf(field) is [var op, ..] && !search._found.Any(o => o.Path.Contains(field)))
                throw new PatchException(PatchError.NotASlot, $"{Name(field)} is not static and no static field leads to it, so {op.Name} has no fixed place.") { Op = op.Name };
        }

        search.CheckNames();
        return search._found;
    }

    /// <summary>Every op of a struct that a program may have many of, in the order of declaration; their paths begin with a field of it.</summary>
    /// <exception cref="PatchException">A slot stands where none can be, or there is none.</exception>
    public static IReadOnlyList<PvOp> FindIn(Type slots)
    {
        if (!slots.IsValueType || slots.IsGenericType)
            throw new PatchException(PatchError.UnsupportedRoot, $"{slots} is no struct, or is generic: slots in unmanaged memory are the fields of a plain struct.");
        var search = new SlotSearch();
        foreach (FieldInfo field in FieldsOf(slots).Where(f => !f.IsStatic))
            search.AddBelow([field], []);
        search.CheckNames();
        if (search._found.FirstOrDefault(op => op.Path.Any(f => !f.FieldType.IsValueType && !f.FieldType.IsFunctionPointer)) is { } hidden)
            throw new PatchException(PatchError.UnsupportedRoot, $"{hidden.Name} has no fixed place: {hidden.Place} leads through an object.") { Op = hidden.Name };
        return search._found;
    }

    private void AddRoot(FieldInfo field)
    {
        int before = _found.Count;
        AddBelow([field], []);
        if (_found.Count > before && field.IsDefined(typeof(ThreadStaticAttribute), inherit: false))
            throw new PatchException(PatchError.UnsupportedRoot, $"{Name(field)} is thread-static: each thread would have slots of its own.");
    }

    /// <summary>Adds the slots at the end of a path, or those in the struct or object there.</summary>
    /// <param name="path">The fields so far.</param>
    /// <param name="objects">Classes of the objects on the path: one that refers to its like leads nowhere new.</param>
    private void AddBelow(FieldInfo[] path, Type[] objects)
    {
        FieldInfo field = path[^1];
        Type type = field.FieldType;
        if (OpsOf(field) is { Length: > 0 } ops)
        {
            foreach (PvOpAttribute op in ops)
                _found.Add(Checked(op, path, ops.Length));
        }
        else if (type.IsValueType && !type.IsPrimitive && !type.IsEnum)
        {
            foreach (FieldInfo inner in FieldsOf(type).Where(f => !f.IsStatic))
                AddBelow([.. path, inner], objects);
        }
        else if (!objects.Contains(type) && LeadsToSlots(type) && (field.IsInitOnly || PartsOf(type).Any(f => OpsOf(f).Length > 0)))
        {
            foreach (FieldInfo inner in PartsOf(type))
                AddBelow([.. path, inner], [.. objects, type]);
        }
    }

    /// <summary>Whether the fields of a class, or what they are or refer to, are slots. Most classes lead nowhere, and are looked at once.</summary>
    private bool LeadsToSlots(Type type)
    {
        if (_leads.TryGetValue(type, out bool known))
            return known;
        var seen = new HashSet<Type>();
        var waiting = new Stack<Type>([type]);
        bool leads = false;
        while (!leads && waiting.TryPop(out Type? next))
        {
            if (!seen.Add(next))
                continue;
            try
            {
                foreach (FieldInfo field in PartsOf(next))
                {
                    leads |= OpsOf(field).Length > 0;
                    waiting.Push(field.FieldType);
                }
            }
            catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
            {
                // It needs an assembly that is not there: nobody can use it, and nobody patches through it.
            }
        }

        _leads[type] = leads;
        return leads;
    }

    /// <summary>The instance fields of a struct, or of a class that can hold slots, with those of its base classes.</summary>
    private static IEnumerable<FieldInfo> PartsOf(Type type)
    {
        if (type.IsValueType && !type.IsPrimitive && !type.IsEnum)
        {
            foreach (FieldInfo field in FieldsOf(type).Where(f => !f.IsStatic))
                yield return field;
        }

        for (Type? part = type; part is not null && MayHoldSlots(part); part = part.BaseType)
        {
            foreach (FieldInfo field in FieldsOf(part).Where(f => !f.IsStatic))
                yield return field;
        }
    }

    /// <summary>Whether objects of a class can hold slots: its assembly knows the attribute.</summary>
    private static bool MayHoldSlots(Type type) =>
        type.IsClass && !type.HasElementType
        && (type.Assembly == typeof(PvOpAttribute).Assembly
            || type.Assembly.GetReferencedAssemblies().Any(a => string.Equals(a.Name, typeof(PvOpAttribute).Assembly.GetName().Name, StringComparison.Ordinal)));

    private static PvOp Checked(PvOpAttribute op, FieldInfo[] path, int siblings)
    {
        FieldInfo slot = path[^1];
        if (string.IsNullOrEmpty(op.Name) || op.Class == default)
            throw new PatchException(PatchError.NotASlot, $"{Name(slot)} declares an op without a name or a class.") { Op = op.Name };
        bool isArray = slot.FieldType.IsSZArray;
        if (!(isArray ? slot.FieldType.GetElementType()! : slot.FieldType).IsFunctionPointer)
            throw new PatchException(PatchError.NotASlot, $"{op.Name} is declared on {Name(slot)}, which is no function pointer.") { Op = op.Name };
        if (isArray != op.Index >= 0 || op.Index < -1 || (!isArray && siblings > 1))
        {
            string how = isArray ? "an array: each of its ops says its index" : "one slot: it has one op, without an index";
            throw new PatchException(PatchError.NotASlot, $"{op.Name} is declared on {Name(slot)}, which is {how}.") { Op = op.Name };
        }

        foreach (FieldInfo field in path)
            CheckStays(op, field);
        return new PvOp(op.Name, op.Class, op.Summary, path, isArray ? op.Index : null);
    }

    /// <summary>What is written must be no constant, and what leads to objects must lead to the same ones for ever.</summary>
    private static void CheckStays(PvOpAttribute op, FieldInfo field)
    {
        bool isReference = !field.FieldType.IsValueType && !field.FieldType.IsFunctionPointer;
        if (!isReference && field.IsInitOnly)
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} cannot be installed: {Name(field)} is read-only.") { Op = op.Name };
        if (isReference && !field.IsInitOnly)
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} has no fixed place: {Name(field)} is not read-only, so another object may come there.") { Op = op.Name };
        if (field.DeclaringType!.IsDefined(typeof(InlineArrayAttribute), inherit: false))
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} stands in {field.DeclaringType}, which is an inline array: of its elements only the first has a field. An array has ops by index.") { Op = op.Name };
        if (field.DeclaringType!.IsGenericType)
            throw new PatchException(PatchError.UnsupportedRoot, $"{op.Name} stands in {field.DeclaringType}, which is generic.") { Op = op.Name };
    }

    private void CheckNames()
    {
        if (_found.Count == 0)
            throw new PatchException(PatchError.NoOps, "The root classes hold no slot: no field carries [PvOp].");
        if (_found.GroupBy(o => o.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            string places = string.Join(" and ", twice.Select(o => o.Place));
            throw new PatchException(PatchError.DuplicateOp, $"{twice.Key} is declared {twice.Count()} times: {places}.") { Op = twice.Key };
        }

        var arrays = new Dictionary<FieldInfo, Dictionary<int, PvOp>>();
        foreach (PvOp op in _found)
        {
            if (op.Index is not { } index)
                continue;
            if (!arrays.TryGetValue(op.Slot, out Dictionary<int, PvOp>? at))
                arrays[op.Slot] = at = [];
            if (!at.TryAdd(index, op))
                throw new PatchException(PatchError.DuplicateOp, $"{op.Name} and {at[index].Name} are both declared at {op.Place}.") { Op = op.Name };
        }
    }

    private static FieldInfo[] FieldsOf(Type type)
    {
        FieldInfo[] fields = type.GetFields(Declared);
        Array.Sort(fields, (a, b) => a.MetadataToken.CompareTo(b.MetadataToken));
        return fields;
    }

    private static PvOpAttribute[] OpsOf(FieldInfo field) => [.. field.GetCustomAttributes<PvOpAttribute>(inherit: false)];

    private static string Name(FieldInfo field) => $"{field.DeclaringType!.FullName}.{field.Name}";
}
