using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using Iced.Intel;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Writes a region's IL. Guest registers are locals of 64 bits; values on the evaluation stack are 64 bits wide for 8-byte
/// operands and 32 bits for narrower ones, zero above bytes and words.
/// </summary>
internal sealed class RegionIl
{
    private readonly ILGenerator _il;
    private readonly LocalBuilder[] _registers = new LocalBuilder[16];
    private readonly RegisterUse _use = new();
    private readonly LocalBuilder _moved;

    public RegionIl(ILGenerator il)
    {
        _il = il;
        for (int i = 0; i < 16; i++)
            _registers[i] = Local();
        Flags = Local();
        Left = Local();
        Tlb = Local();
        Linear = Local();
        Host = Local();
        Next = Local();
        Wide = Local();
        _moved = Local();
        Vectors = new RegionVectors(this);
        Control = new FloatControl(this);
        if (il is not IlListing listing)
            return;
        for (int i = 0; i < 16; i++)
            listing.Name(_registers[i], (Register.RAX + i).ToString().ToLowerInvariant());
        foreach ((LocalBuilder local, string name) in (ReadOnlySpan<(LocalBuilder, string)>)[(Flags, "rflags"), (Left, "left"), (Tlb, "tlb"), (Linear, "linear"), (Host, "host"), (Next, "next")])
            listing.Name(local, name);
    }

    /// <summary>The XMM registers.</summary>
    public RegionVectors Vectors { get; }

    /// <summary>Who has MXCSR.</summary>
    public FloatControl Control { get; }

    /// <summary>From here on code is written for an instruction of the guest; null is for all of them.</summary>
    public void Note(ulong? rip) => (_il as IlListing)?.Begin(rip);

    /// <summary>RFLAGS, without what <see cref="FlagEmitter"/> knows to wait.</summary>
    public LocalBuilder Flags { get; }

    /// <summary>Instructions that may still be executed.</summary>
    public LocalBuilder Left { get; }

    /// <summary>The TLB's table for data.</summary>
    public LocalBuilder Tlb { get; }

    /// <summary>The linear address of an access.</summary>
    public LocalBuilder Linear { get; }

    /// <summary>The host address of an access.</summary>
    public LocalBuilder Host { get; }

    /// <summary>The decoded instruction that is executed after the region.</summary>
    public LocalBuilder Next { get; }

    /// <summary>
    /// The local of the instructions left says less by so many: as much as any path needs from where they are looked at. So it is compared with 0.
    /// </summary>
    public int Reserve { get; set; }

    /// <summary>IL instructions written so far.</summary>
    public int Count { get; private set; }

    private LocalBuilder Wide { get; }

    /// <summary>What code is written with that is not counted here.</summary>
    public ILGenerator Generator => _il;

    public LocalBuilder Local(Type type) => _il.DeclareLocal(type);

    public LocalBuilder Local() => _il.DeclareLocal(typeof(long));

    public LocalBuilder NarrowLocal() => _il.DeclareLocal(typeof(int));

    public LocalBuilder VectorLocal() => _il.DeclareLocal(typeof(Vector128<byte>));

    public Label Label() => _il.DefineLabel();

    public void Mark(Label label) => _il.MarkLabel(label);

    public void Op(OpCode code)
    {
        _il.Emit(code);
        Count++;
    }

    public void Branch(OpCode code, Label label)
    {
        _il.Emit(code, label);
        Count++;
    }

    public void Switch(Label[] labels)
    {
        _il.Emit(OpCodes.Switch, labels);
        Count++;
    }

    public void Load(LocalBuilder local)
    {
        _il.Emit(OpCodes.Ldloc, local);
        Count++;
    }

    public void Store(LocalBuilder local)
    {
        _il.Emit(OpCodes.Stloc, local);
        Count++;
    }

    /// <summary>Pushes how many instructions are left, with so many given back.</summary>
    public void PushLeft(int notExecuted)
    {
        Load(Left);
        Constant(notExecuted + Reserve);
        Op(OpCodes.Add);
    }

    public void Address(LocalBuilder local)
    {
        _il.Emit(OpCodes.Ldloca, local);
        Count++;
    }

    public void Call(MethodInfo method)
    {
        // Where a call remains the runtime's compiler may come before it, which computes on floating-point numbers itself.
        bool isInlined = method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveInlining);
        if (!isInlined)
            Control.Leave();
        Emit(method);
        if (!isInlined)
            Control.Enter();
    }

    /// <summary>Calls a method, whoever has MXCSR.</summary>
    public void Emit(MethodInfo method)
    {
        _il.Emit(OpCodes.Call, method);
        Count++;
    }

    /// <summary>A constant of 64 bits.</summary>
    public void Constant(long value)
    {
        _il.Emit(OpCodes.Ldc_I8, value);
        Count++;
    }

    /// <summary>A constant of 32 bits.</summary>
    public void Small(int value)
    {
        _il.Emit(OpCodes.Ldc_I4, value);
        Count++;
    }

    /// <summary>Loads the 16 bytes at the address on the stack.</summary>
    public void ReadVector()
    {
        _il.Emit(OpCodes.Unaligned, (byte)1);
        _il.Emit(OpCodes.Ldobj, typeof(Vector128<byte>));
        Count += 2;
    }

    /// <summary>Writes the 16 bytes on the stack to the address below them.</summary>
    public void WriteVector()
    {
        _il.Emit(OpCodes.Unaligned, (byte)1);
        _il.Emit(OpCodes.Stobj, typeof(Vector128<byte>));
        Count += 2;
    }

    /// <summary>Calls a handler whose arguments and address are on the stack.</summary>
    public void CallHandler()
    {
        _il.Emit(OpCodes.Conv_I);
        _il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(nint), [typeof(nint), typeof(nint)], null);
        Count += 2;
    }

    /// <summary>Continues at the handler of <see cref="Next"/>, as the interpreter's handlers follow each other; the stack stays flat.</summary>
    public void JumpToNext()
    {
        _il.Emit(OpCodes.Ldarg_0);
        Load(Next);
        Load(Next);
        Field(StateOffsets.Handler);
        JumpTo();
    }

    /// <summary>Continues at a handler whose arguments and address are on the stack.</summary>
    public void JumpTo()
    {
        _il.Emit(OpCodes.Conv_I);
        _il.Emit(OpCodes.Tailcall);
        _il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(nint), [typeof(nint), typeof(nint)], null);
        _il.Emit(OpCodes.Ret);
        Count += 4;
    }

    /// <summary>Loads the word at an offset from the address on the stack.</summary>
    public void Field(int offset)
    {
        if (offset != 0)
        {
            Constant(offset);
            Op(OpCodes.Add);
        }

        Op(OpCodes.Ldind_I8);
    }

    /// <summary>The address of a field of the CPU's state.</summary>
    public void StateAddress(int offset)
    {
        Op(OpCodes.Ldarg_0);
        Constant(offset);
        Op(OpCodes.Add);
    }

    /// <summary>A word of the CPU's state.</summary>
    public void LoadState(int offset)
    {
        StateAddress(offset);
        Op(OpCodes.Ldind_I8);
    }

    /// <summary>Writes a local to a word of the CPU's state.</summary>
    public void StoreState(int offset, LocalBuilder value)
    {
        StateAddress(offset);
        Load(value);
        Op(OpCodes.Stind_I8);
    }

    /// <summary>Whether an instruction of the region uses an XMM or YMM register.</summary>
    public bool UsesVectors => _use.Used >> RegisterUse.FirstVector != 0;

    /// <summary>Whether one does with VEX, which is what changes upper halves of YMM registers.</summary>
    public bool UsesVex => _use.Used >> RegisterUse.FirstUpperHalf != 0;

    /// <summary>Which registers the region's instructions use; all are noted before any code is written.</summary>
    public RegisterUse Use => _use;

    /// <summary>Writes back the registers that an instruction names.</summary>
    public void Spill(in Instruction instruction)
    {
        _use.Find(instruction, out ulong used, out _);
        Spill(used & _use.Written);
    }

    /// <summary>Writes back the registers that an instruction changed: what they come of has to be computed then, even if they are overwritten before anybody asks.</summary>
    public void Keep(in Instruction instruction)
    {
        _use.Find(instruction, out _, out ulong written);
        Spill(written);
    }

    /// <summary>Brings the registers that an instruction may have changed back into their locals.</summary>
    public void Fill(in Instruction instruction)
    {
        _use.Find(instruction, out _, out ulong written);
        Fill(written);
    }

    /// <summary>Brings the registers that the region uses into their locals.</summary>
    public void Fill() => Fill(_use.Used);

    /// <summary>Writes back the registers that the region changes.</summary>
    public void Spill() => Spill(_use.Written);

    /// <summary>Pushes all 64 bits of a general register.</summary>
    public void LoadGeneral(Register register)
    {
        int number = register.GetFullRegister() - Register.RAX;
        if (IsKept(number))
            Load(_registers[number]);
        else
            LoadState(StateOffsets.General(number));
    }

    /// <summary>Takes all 64 bits of a general register from the stack.</summary>
    public void StoreGeneral(Register register)
    {
        int number = register.GetFullRegister() - Register.RAX;
        if (IsKept(number))
        {
            Store(_registers[number]);
            return;
        }

        Store(_moved);
        StoreState(StateOffsets.General(number), _moved);
    }

    /// <summary>Whether a register, by its place in sets, is kept in a local.</summary>
    public bool IsKept(int number) => (_use.Kept >> number & 1) != 0;

    /// <summary>Pushes a general register in its size.</summary>
    public void PushRegister(Register register)
    {
        LoadGeneral(register);
        switch (register.GetSize())
        {
            case 1:
                if (IsHigh(register))
                    ShiftHigh(OpCodes.Shr_Un);
                Op(OpCodes.Conv_U1);
                break;
            case 2:
                Op(OpCodes.Conv_U2);
                break;
            case 4:
                Op(OpCodes.Conv_U4);
                break;
        }
    }

    /// <summary>Takes a value from the stack into a general register in its size: 32 bits clear the upper half, 8 and 16 leave the rest.</summary>
    public void PopRegister(Register register)
    {
        int size = register.GetSize();
        if (size < 8)
            Op(size switch { 1 => OpCodes.Conv_U1, 2 => OpCodes.Conv_U2, _ => OpCodes.Conv_U4 });
        if (size < 8)
            Op(OpCodes.Conv_U8);
        if (size < 4)
        {
            if (IsHigh(register))
                ShiftHigh(OpCodes.Shl);
            Store(Wide);
            LoadGeneral(register);
            Constant(size == 2 ? ~0xffffL : IsHigh(register) ? ~0xff00L : ~0xffL);
            Op(OpCodes.And);
            Load(Wide);
            Op(OpCodes.Or);
        }

        StoreGeneral(register);
    }

    /// <summary>Reads a value of a size at the host address on the stack.</summary>
    public void Read(int size) => Op(size switch
    {
        1 => OpCodes.Ldind_U1,
        2 => OpCodes.Ldind_U2,
        4 => OpCodes.Ldind_U4,
        _ => OpCodes.Ldind_I8,
    });

    /// <summary>Writes the value on the stack, of a size, to the host address below it.</summary>
    public void Write(int size) => Op(size switch
    {
        1 => OpCodes.Stind_I1,
        2 => OpCodes.Stind_I2,
        4 => OpCodes.Stind_I4,
        _ => OpCodes.Stind_I8,
    });

    /// <summary>Cuts a value on the stack to its size, zero above.</summary>
    public void Zeroed(int size)
    {
        if (size < 4)
            Op(size == 1 ? OpCodes.Conv_U1 : OpCodes.Conv_U2);
    }

    /// <summary>Cuts a value on the stack to its size, its sign above.</summary>
    public void Signed(int size)
    {
        if (size < 4)
            Op(size == 1 ? OpCodes.Conv_I1 : OpCodes.Conv_I2);
    }

    /// <summary>Makes a value of a size one of 64 bits, zero above.</summary>
    public void Widen(int size)
    {
        if (size < 8)
        {
            Zeroed(size);
            Op(OpCodes.Conv_U4);
            Op(OpCodes.Conv_U8);
        }
    }

    /// <summary>Makes a value of 64 bits one of a size.</summary>
    public void Narrowed(int size)
    {
        if (size < 8)
        {
            Op(OpCodes.Conv_I4);
            Zeroed(size);
        }
    }

    private void Fill(ulong registers)
    {
        registers &= _use.Kept;
        for (int i = 0; i < 16; i++)
        {
            if ((registers >> i & 1) == 0)
                continue;
            LoadState(StateOffsets.General(i));
            Store(_registers[i]);
        }

        Vectors.Fill((uint)(registers >> RegisterUse.FirstVector));
    }

    private void Spill(ulong registers)
    {
        registers &= _use.Kept;
        for (int i = 0; i < 16; i++)
        {
            if ((registers >> i & 1) != 0)
                StoreState(StateOffsets.General(i), _registers[i]);
        }

        Vectors.Spill((uint)(registers >> RegisterUse.FirstVector));
    }

    /// <summary>Whether a register is the second byte of another one.</summary>
    public static bool IsHigh(Register register) => register is >= Register.AH and <= Register.BH;

    private void ShiftHigh(OpCode shift)
    {
        Small(8);
        Op(shift);
    }
}
