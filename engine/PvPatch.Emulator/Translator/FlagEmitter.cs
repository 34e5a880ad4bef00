using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.State;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Keeps the flags of the last operation as its two values until somebody asks. What waits is known while code is written, but at
/// the start of most blocks: there a local says it, since control may come from several places.
/// </summary>
internal sealed class FlagEmitter
{
    private readonly RegionIl _il;
    private readonly LocalBuilder _a;
    private readonly LocalBuilder _b;
    private readonly LocalBuilder _number;
    private readonly LocalBuilder _carry;

    public FlagEmitter(RegionIl il)
    {
        _il = il;
        _a = il.Local();
        _b = il.Local();
        _number = il.NarrowLocal();
        _carry = il.NarrowLocal();
    }

    /// <summary>What waits here.</summary>
    public FlagState State { get; set; }

    /// <summary>Takes a value of a size from the stack as the first one of the operation that will wait.</summary>
    public void TakeFirst(int size)
    {
        _il.Widen(size);
        _il.Store(_a);
    }

    /// <summary>Takes a value of a size from the stack as the second one.</summary>
    public void TakeSecond(int size)
    {
        _il.Widen(size);
        _il.Store(_b);
    }

    public void PushFirst(int size)
    {
        _il.Load(_a);
        _il.Narrowed(size);
    }

    public void PushSecond(int size)
    {
        _il.Load(_b);
        _il.Narrowed(size);
    }

    /// <summary>From here on the flags of an operation on the two values that were taken wait.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="size">Size of its operands in bytes.</param>
    /// <param name="isBit">Its result is 0 or 1.</param>
    public void Wait(LazyOperation operation, int size, bool isBit = false) => State = new FlagState(new LazyFlags(operation, size), false, isBit);

    /// <summary>Computes what waits, so that RFLAGS is right.</summary>
    public void Settle()
    {
        if (State.Waiting != LazyFlags.None)
        {
            PushFirst(State.Waiting.Size);
            PushSecond(State.Waiting.Size);
            _il.Load(_il.Flags);
            _il.Call(State.Waiting.Method);
            _il.Store(_il.Flags);
        }

        if (State.IsInLocal)
            throw new InvalidOperationException("Flags are asked for that nobody was seen to read.");
        State = FlagState.Settled;
    }

    /// <summary>Before an instruction that overwrites all flags but CF: that is computed if it is wanted behind it.</summary>
    public void KeepCarry(ulong wanted)
    {
        if ((wanted & RFlags.Carry) != 0 && State != FlagState.Settled)
        {
            PrepareCondition(ConditionCode.b);
            if (State != FlagState.Settled)
            {
                PushCondition(ConditionCode.b);
                _il.Store(_carry);
                SetCarry(_carry);
            }
        }

        State = FlagState.Settled;
    }

    /// <summary>Computes what the local says that waits.</summary>
    public void SettleAny()
    {
        _il.Load(_number);
        _il.Load(_a);
        _il.Load(_b);
        _il.Load(_il.Flags);
        _il.Call(typeof(LazyFlags).GetMethod(nameof(LazyFlags.Compute), [typeof(int), typeof(ulong), typeof(ulong), typeof(ulong)])!);
        _il.Store(_il.Flags);
    }

    /// <summary>Takes over what waited when the region was entered.</summary>
    public void Fill()
    {
        _il.LoadState(StateOffsets.Execution);
        _il.Store(_il.Host);
        Take(StateOffsets.WaitingFlags, _number);
        Take(StateOffsets.WaitingA, _a);
        Take(StateOffsets.WaitingB, _b);

        void Take(int offset, LocalBuilder value)
        {
            _il.Load(_il.Host);
            _il.Field(offset);
            if (value == _number)
                _il.Op(OpCodes.Conv_I4);
            _il.Store(value);
        }
    }

    /// <summary>Tells by the local what waits, for code that several places lead to.</summary>
    public void Tell()
    {
        if (State.IsInLocal)
            return;
        _il.Small(State.Waiting.Number);
        _il.Store(_number);
    }

    /// <summary>Writes what waits to where <see cref="RegionExits"/> finds it; the local says what.</summary>
    public void Spill()
    {
        _il.LoadState(StateOffsets.Execution);
        _il.Store(_il.Host);
        Put(StateOffsets.WaitingFlags, _number);
        Put(StateOffsets.WaitingA, _a);
        Put(StateOffsets.WaitingB, _b);
    }

    /// <summary>Writes the first value to where <see cref="Spill"/> does: what it comes of has to be computed then, even if nobody asks for the flags.</summary>
    public void Keep()
    {
        _il.LoadState(StateOffsets.Execution);
        _il.Store(_il.Host);
        Put(StateOffsets.WaitingA, _a);
    }

    /// <summary>Computes what waits if a condition does not follow from it more simply.</summary>
    public void PrepareCondition(ConditionCode condition)
    {
        if (Comparison(condition) is null)
            Settle();
    }

    /// <summary>Sets CF of RFLAGS to a value of 0 or 1, with nothing waiting.</summary>
    public void SetCarry(LocalBuilder carry)
    {
        _il.Load(_il.Flags);
        _il.Constant(~(long)RFlags.Carry);
        _il.Op(OpCodes.And);
        _il.Load(carry);
        _il.Op(OpCodes.Conv_U8);
        _il.Op(OpCodes.Or);
        _il.Store(_il.Flags);
    }

    /// <summary>Branches if a condition holds that was prepared.</summary>
    public void BranchIf(ConditionCode condition, Label label)
    {
        if (Comparison(condition) is { } comparison)
        {
            Push(comparison);
            _il.Branch(comparison.Branch, label);
            return;
        }

        PushFromFlags(condition);
        _il.Branch(OpCodes.Brtrue, label);
    }

    /// <summary>Pushes 1 if a condition holds that was prepared, else 0.</summary>
    public void PushCondition(ConditionCode condition)
    {
        if (Comparison(condition) is { } comparison)
        {
            Push(comparison);
            _il.Op(comparison.Set);
            if (comparison.Inverted)
            {
                _il.Small(0);
                _il.Op(OpCodes.Ceq);
            }

            return;
        }

        PushFromFlags(condition);
    }

    /// <summary>Whether <see cref="PushMask"/> gives ones where the condition does not hold.</summary>
    public bool IsMaskInverted(ConditionCode condition) => Comparison(condition) is { } comparison && comparison.Inverted != IsOfBit(comparison);

    /// <summary>Pushes 32 ones if a condition holds that was prepared, else 0; or the other way round.</summary>
    public void PushMask(ConditionCode condition)
    {
        if (Comparison(condition) is not { } comparison)
        {
            PushFromFlags(condition);
        }
        else if (comparison.IsSign)
        {
            int size = State.Waiting.Size;
            PushResult(State.Waiting);
            _il.Signed(size);
            _il.Small(size == 8 ? 63 : 31);
            _il.Op(OpCodes.Shr);
            _il.Op(OpCodes.Conv_I4);
            return;
        }
        else if (IsOfBit(comparison))
        {
            PushResult(State.Waiting);
            _il.Op(OpCodes.Conv_I4);
        }
        else
        {
            Push(comparison);
            _il.Op(comparison.Set);
        }

        _il.Op(OpCodes.Neg);
    }

    /// <summary>Whether it is that a result of 0 or 1 is 0, or that inverted.</summary>
    private bool IsOfBit(ConditionComparison comparison) => State.IsBit && comparison.IsZero;

    private void PushFromFlags(ConditionCode condition)
    {
        _il.Load(_il.Flags);
        _il.Call(ConditionMethods.Of(condition));
    }

    private void Push(ConditionComparison comparison)
    {
        LazyFlags waiting = State.Waiting;
        int size = waiting.Size;
        bool values = comparison.Sides == ConditionSides.Values;
        if (values)
            PushFirst(size);
        else
            PushResult(waiting);
        if (comparison.IsSigned)
            _il.Signed(size);
        else
            _il.Zeroed(size);
        switch (comparison.Sides)
        {
            case ConditionSides.Values:
                PushSecond(size);
                if (comparison.IsSigned)
                    _il.Signed(size);
                break;
            case ConditionSides.ResultAndFirst:
                PushFirst(size);
                break;
            default:
                if (size == 8)
                    _il.Constant(0);
                else
                    _il.Small(0);
                break;
        }
    }

    private void PushResult(LazyFlags waiting)
    {
        int size = waiting.Size;
        PushFirst(size);
        switch (waiting.Operation)
        {
            case LazyOperation.Add:
                PushSecond(size);
                _il.Op(OpCodes.Add);
                break;
            case LazyOperation.Subtract:
                PushSecond(size);
                _il.Op(OpCodes.Sub);
                break;
            case LazyOperation.ShiftLeft or LazyOperation.ShiftRight or LazyOperation.ShiftArithmeticRight:
                if (waiting.Operation == LazyOperation.ShiftArithmeticRight)
                    _il.Signed(size);
                _il.Load(_b);
                _il.Op(OpCodes.Conv_I4);
                _il.Op(waiting.Operation switch
                {
                    LazyOperation.ShiftLeft => OpCodes.Shl,
                    LazyOperation.ShiftRight => OpCodes.Shr_Un,
                    _ => OpCodes.Shr,
                });
                break;
            case LazyOperation.Increment or LazyOperation.Decrement:
                if (size == 8)
                    _il.Constant(1);
                else
                    _il.Small(1);
                _il.Op(waiting.Operation == LazyOperation.Increment ? OpCodes.Add : OpCodes.Sub);
                break;
        }
    }

    private void Put(int offset, LocalBuilder value)
    {
        _il.Load(_il.Host);
        _il.Constant(offset);
        _il.Op(OpCodes.Add);
        _il.Load(value);
        if (value == _number)
            _il.Op(OpCodes.Conv_I8);
        _il.Op(OpCodes.Stind_I8);
    }

    private ConditionComparison? Comparison(ConditionCode condition) => ConditionComparison.Of(State.Waiting.Operation, condition);
}
