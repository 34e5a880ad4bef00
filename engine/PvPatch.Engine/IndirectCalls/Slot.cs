using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>One slot in memory: its address, and what the table put there.</summary>
internal sealed class Slot
{
    private delegate ref nint Place();

    private readonly Place _place;
    private nint _written;

    /// <summary>Finds the slot of an op. Nothing is written yet.</summary>
    public Slot(PvOp op)
    {
        Op = op;
        Signature = new SlotSignature(op);

        // SAFETY: the path's own instructions give the address as a reference, which the garbage collector follows, so it is
        // right for statics that the runtime keeps boxed, where reflection would change a copy. A slot is as wide as nint.
        var method = new DynamicMethod($"slot of {op.Name}", typeof(nint).MakeByRefType(), [], op.Path[0].Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        foreach (FieldInfo field in op.Path)
            il.Emit(field.IsStatic ? OpCodes.Ldsflda : OpCodes.Ldflda, field);
        il.Emit(OpCodes.Ret);
        _place = method.CreateDelegate<Place>();
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
    public bool WrittenByHand => Volatile.Read(ref _place()) != _written;

    /// <summary>What the slot holds and why, to be put back later.</summary>
    public (PvTarget Target, nint Entry) State => (Target, _written);

    /// <summary>Writes the slot.</summary>
    /// <param name="target">What is installed.</param>
    /// <param name="entry">Address of its unmanaged entry.</param>
    public void Write(PvTarget target, nint entry)
    {
        // SAFETY: the entry was emitted from this slot's own signature, and its code lives as long as the slot's class
        // (SlotEntries.Keep). One aligned store: a call on another thread goes through the old entry or the new one.
        Target = target;
        _written = entry;
        Volatile.Write(ref _place(), entry);
    }
}
