using System.Reflection.Emit;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>The XMM registers of a region: locals of 16 bytes, which the runtime's compiler keeps in vector registers.</summary>
internal sealed class RegionVectors(RegionIl il)
{
    private readonly LocalBuilder?[] _registers = new LocalBuilder?[16];

    /// <summary>The local of a register.</summary>
    public LocalBuilder Local(Register register) => _registers[register - Register.XMM0] ??= il.VectorLocal();

    /// <summary>Pushes a register.</summary>
    public void Push(Register register) => il.Load(Local(register));

    /// <summary>Takes the vector on the stack into a register.</summary>
    public void Pop(Register register) => il.Store(Local(register));

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
