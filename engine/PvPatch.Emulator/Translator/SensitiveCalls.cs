using PvPatch.Emulator.State;
using PvPatch.Engine.PatchedCalls.Emitted;

namespace PvPatch.Emulator.Translator;

/// <summary>The sensitive ops that translated code of a machine calls, and how.</summary>
/// <param name="table">Gives the ops; asked for when the first call is translated.</param>
/// <param name="binding">How they are called.</param>
public sealed unsafe class SensitiveCalls(Func<SensitiveTable> table, SensitiveBinding binding = SensitiveBinding.Patched)
{
    private readonly Lazy<SensitiveTable> _table = new(table);

    /// <summary>Grows when other targets are installed.</summary>
    internal int Version => _table.IsValueCreated ? _table.Value.Version : 0;

    /// <summary>What writes calls; null where the CPU was given other slots by hand.</summary>
    internal EmittedCalls? For(CpuState* cpu) =>
        _table.Value.Slots == cpu->Sensitive ? new EmittedCalls(_table.Value.Ops, binding == SensitiveBinding.Patched) : null;
}
