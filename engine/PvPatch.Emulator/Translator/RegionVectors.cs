using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>The XMM registers of a region: locals of 16 bytes, which the runtime's compiler keeps in vector registers.</summary>
internal sealed class RegionVectors
{
    private readonly RegionIl _il;
    private readonly LocalBuilder?[] _registers = new LocalBuilder?[16];
    private readonly bool[] _written = new bool[16];

    public RegionVectors(RegionIl il) => _il = il;

    /// <summary>Notes that an instruction may read or write a register, before any code is written.</summary>
    public void Uses(int register, bool written)
    {
        _registers[register] ??= _il.VectorLocal();
        _written[register] |= written;
    }

    /// <summary>The local of a register.</summary>
    public LocalBuilder Local(Register register) => _registers[register - Register.XMM0]!;

    /// <summary>Pushes a register.</summary>
    public void Push(Register register) => _il.Load(Local(register));

    /// <summary>Takes the vector on the stack into a register.</summary>
    public void Pop(Register register) => _il.Store(Local(register));

    /// <summary>Brings the registers that the region uses into their locals.</summary>
    public void Fill()
    {
        for (int i = 0; i < _registers.Length; i++)
            Fill(i);
    }

    /// <summary>Writes back the registers that the region changes.</summary>
    public void Spill()
    {
        for (int i = 0; i < _registers.Length; i++)
            Spill(i);
    }

    /// <summary>Brings a register into its local, if the region uses it.</summary>
    public void Fill(int register)
    {
        if (_registers[register] is not { } local)
            return;
        _il.StateAddress(StateOffsets.Xmm(register));
        _il.ReadVector();
        _il.Store(local);
    }

    /// <summary>Writes back a register, if the region changes it.</summary>
    public void Spill(int register)
    {
        if (!_written[register] || _registers[register] is not { } local)
            return;
        _il.StateAddress(StateOffsets.Xmm(register));
        _il.Load(local);
        _il.WriteVector();
    }

}
