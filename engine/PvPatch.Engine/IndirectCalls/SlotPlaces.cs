using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// Where the slots of a table are. One method a module knows all of its slots, so that a table of a hundred ops costs one
/// compilation and not a hundred.
/// </summary>
internal sealed class SlotPlaces
{
    private delegate ref nint PlaceOf(int index);

    private readonly PlaceOf[] _places = [];
    private readonly nint _address;
    private readonly int[] _offsets = [];

    /// <summary>Finds them. No slot is touched.</summary>
    /// <param name="ops">The table's ops.</param>
    public SlotPlaces(IReadOnlyList<PvOp> ops)
    {
        var modules = new Dictionary<Module, PlaceOf>();
        _places = new PlaceOf[ops.Count];
        for (int i = 0; i < _places.Length; i++)
        {
            Module module = ops[i].Path[0].Module;
            if (!modules.TryGetValue(module, out PlaceOf? places))
                modules[module] = places = PlacesIn(module, ops);
            _places[i] = places;
        }
    }

    /// <summary>The places in a struct in unmanaged memory.</summary>
    /// <param name="layout">The struct.</param>
    /// <param name="address">Where it lies.</param>
    public SlotPlaces(SlotLayout layout, nint address)
    {
        _address = address;
        _offsets = layout.Offsets;
    }

    /// <summary>Whether the slots lie in unmanaged memory, to which no static field leads.</summary>
    public bool AreUnmanaged => _offsets.Length > 0;

    /// <summary>The slot of an op.</summary>
    /// <param name="index">The op's place among those of its table.</param>
    /// <exception cref="NullReferenceException">There is no object on the way to it.</exception>
    /// <exception cref="IndexOutOfRangeException">Its array is shorter.</exception>
    /// <exception cref="TypeInitializationException">A class on the way cannot be initialised.</exception>
    public unsafe ref nint this[int index]
    {
        get
        {
            if (!AreUnmanaged)
                return ref _places[index](index);
            // SAFETY: whoever made the table keeps the struct where it is; the offset is that of a field as wide as nint.
            return ref *(nint*)(_address + _offsets[index]);
        }
    }

    /// <summary>Writes the code that pushes the address of a slot.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="op">The op.</param>
    /// <param name="index">The op's place among those of its table.</param>
    public void EmitAddress(ILGenerator il, PvOp op, int index)
    {
        if (AreUnmanaged)
        {
            il.Emit(OpCodes.Ldc_I8, (long)(_address + _offsets[index]));
            il.Emit(OpCodes.Conv_I);
        }
        else
        {
            EmitPath(il, op);
        }
    }

    private static PlaceOf PlacesIn(Module module, IReadOnlyList<PvOp> ops)
    {
        string name = string.Join(", ", ops.Select(o => o.Path[0].Module == module ? $"{o.Path[0].DeclaringType}.{o.Place}" : ""));
        return EmittedMethods.Of(module, $"places of {name}", () => Emitted(module, ops)).CreateDelegate<PlaceOf>();
    }

    private static DynamicMethod Emitted(Module module, IReadOnlyList<PvOp> ops)
    {
        // SAFETY: the paths' own instructions give the address as a reference, which the garbage collector follows, so it is
        // right for objects that move and for statics that the runtime keeps boxed, where reflection would change a copy.
        // A slot is as wide as nint.
        var method = new DynamicMethod("slots", typeof(nint).MakeByRefType(), [typeof(int)], module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        Label elsewhere = il.DefineLabel();
        var cases = new Label[ops.Count];
        for (int i = 0; i < cases.Length; i++)
            cases[i] = ops[i].Path[0].Module == module ? il.DefineLabel() : elsewhere;
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Switch, cases);
        il.MarkLabel(elsewhere);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Throw);
        for (int i = 0; i < cases.Length; i++)
        {
            if (cases[i] == elsewhere)
                continue;
            il.MarkLabel(cases[i]);
            EmitPath(il, ops[i]);
            il.Emit(OpCodes.Ret);
        }

        return method;
    }

    /// <summary>Fields of structs by address, objects and arrays by what the field holds.</summary>
    internal static void EmitPath(ILGenerator il, PvOp op)
    {
        foreach (FieldInfo field in op.Path)
        {
            bool isReference = !field.FieldType.IsValueType && !field.FieldType.IsFunctionPointer;
            il.Emit((field.IsStatic, isReference) switch
            {
                (true, true) => OpCodes.Ldsfld,
                (true, false) => OpCodes.Ldsflda,
                (false, true) => OpCodes.Ldfld,
                (false, false) => OpCodes.Ldflda,
            }, field);
        }

        if (op.Index is { } index)
        {
            il.Emit(OpCodes.Ldc_I4, index);
            il.Emit(OpCodes.Ldelema, typeof(nint));
        }
    }
}
