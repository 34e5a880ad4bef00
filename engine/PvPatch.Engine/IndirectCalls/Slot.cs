using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>One slot in memory: its place, and what the table put there.</summary>
internal sealed class Slot
{
    private delegate ref nint Place();

    private readonly Place _place;
    private nint _written;

    /// <summary>Finds the slot of an op. Nothing is written yet.</summary>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.UnsupportedRoot"/>: there is no object on the way or no such element, or the slot lies across
    /// two words; <see cref="PatchError.UnsupportedSignature"/>.
    /// </exception>
    public Slot(PvOp op)
    {
        Op = op;
        Signature = new SlotSignature(op);
        _place = PlaceOf(op);
        try
        {
            if (!IsAligned(ref _place()))
                throw Nowhere("it is not aligned, so that it cannot be written at once");
        }
        catch (NullReferenceException)
        {
            throw Nowhere("a field on the way to it is null");
        }
        catch (IndexOutOfRangeException)
        {
            throw Nowhere("the array is shorter");
        }
        catch (TypeInitializationException e)
        {
            throw Nowhere($"{e.TypeName} cannot be initialised: {e.InnerException?.Message ?? e.Message}");
        }

        PatchException Nowhere(string why) => new(PatchError.UnsupportedRoot, $"{op.Name} has no place at {op.Place}: {why}.") { Op = op.Name };
    }

    /// <summary>The op.</summary>
    public PvOp Op { get; }

    /// <summary>What it takes and returns.</summary>
    public SlotSignature Signature { get; }

    /// <summary>Addresses of the unmanaged entries made so far, which live as long as the slot: each target gets one.</summary>
    public Dictionary<PvTarget, nint> Entries { get; } = [];

    /// <summary>What the table installed.</summary>
    public PvTarget Target { get; private set; } = PvTarget.Missing;

    /// <summary>Whether someone else wrote the slot after the table did.</summary>
    public bool WrittenByHand
    {
        get
        {
            try
            {
                return Volatile.Read(ref _place()) != _written;
            }
            catch (NullReferenceException)
            {
                return true; // someone took the object away that it is in
            }
        }
    }

    /// <summary>What the slot holds and why, to be put back later.</summary>
    public (PvTarget Target, nint Entry) State => (Target, _written);

    /// <summary>Writes the slot.</summary>
    /// <param name="target">What is installed.</param>
    /// <param name="entry">Address of its entry.</param>
    public void Write(PvTarget target, nint entry)
    {
        // SAFETY: the entry was emitted from this slot's own signature, and its code lives as long as the slot's class
        // (SlotEntries.Keep). One aligned store: a call on another thread goes through the old entry or the new one.
        Target = target;
        _written = entry;
        Volatile.Write(ref _place(), entry);
    }

    /// <summary>The path's own instructions: fields of structs by address, objects and arrays by what the field holds.</summary>
    private static Place PlaceOf(PvOp op)
    {
        // SAFETY: they give the address as a reference, which the garbage collector follows, so it is right for objects that
        // move and for statics that the runtime keeps boxed, where reflection would change a copy. A slot is as wide as nint.
        var method = new DynamicMethod($"slot of {op.Name}", typeof(nint).MakeByRefType(), [], op.Path[0].Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
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

        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Place>();
    }

    /// <summary>Whether a store to the slot is one store.</summary>
    private static unsafe bool IsAligned(ref nint place)
    {
        // SAFETY: the number is only looked at; an object that moves keeps its alignment.
        return (nint)Unsafe.AsPointer(ref place) % sizeof(nint) == 0;
    }
}
