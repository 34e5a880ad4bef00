using System.Reflection.Emit;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// The XMM registers of a region: locals of 16 bytes, which the runtime's compiler keeps in vector registers. Those that are hardly used
/// stay in the CPU's state.
/// </summary>
internal sealed class RegionVectors(RegionIl il)
{
    private readonly LocalBuilder?[] _registers = new LocalBuilder?[16];
    private readonly LocalBuilder _moved = il.VectorLocal();

    /// <summary>The local of a register that is kept.</summary>
    public LocalBuilder Local(Register register) => _registers[register - Register.XMM0] ??= il.VectorLocal();

    /// <summary>Pushes a register.</summary>
    public void Push(Register register)
    {
        if (il.IsKept(16 + register - Register.XMM0))
        {
            il.Load(Local(register));
            return;
        }

        il.StateAddress(StateOffsets.Xmm(register - Register.XMM0));
        il.ReadVector();
    }

    /// <summary>Takes the vector on the stack into a register.</summary>
    public void Pop(Register register)
    {
        if (il.IsKept(16 + register - Register.XMM0))
        {
            il.Store(Local(register));
            return;
        }

        il.Store(_moved);
        il.StateAddress(StateOffsets.Xmm(register - Register.XMM0));
        il.Load(_moved);
        il.WriteVector();
    }

    /// <summary>Brings registers into their locals.</summary>
    /// <param name="registers">A bit each.</param>
    public void Fill(int registers)
    {
        for (int i = 0; i < _registers.Length; i++)
        {
            if ((registers >> i & 1) == 0)
                continue;
            il.StateAddress(StateOffsets.Xmm(i));
            il.ReadVector();
            il.Store(Local(Register.XMM0 + i));
        }
    }

    /// <summary>Writes back registers.</summary>
    /// <param name="registers">A bit each.</param>
    public void Spill(int registers)
    {
        for (int i = 0; i < _registers.Length; i++)
        {
            if ((registers >> i & 1) == 0)
                continue;
            il.StateAddress(StateOffsets.Xmm(i));
            il.Load(Local(Register.XMM0 + i));
            il.WriteVector();
        }
    }
}
