using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Abstract interpretation of one method: what every instruction takes from the evaluation stack, and which instructions
/// put it there. A worklist over basic blocks, the first one first; where paths join, less is known than on any of them.
/// </summary>
internal sealed class StackFlow
{
    /// <summary>What following a method may cost, in entries, for each instruction and besides: a damaged one can have any number of paths, variables and regions.</summary>
    private const long WorkPerInstruction = 64, MoreWork = 1 << 20;

    private static readonly FlowEntry[] CaughtException = [new(FlowValue.Plain, Joins.Outside)];

    private readonly StackEffects _effects;
    private readonly ControlFlow _control;
    private readonly FlowState?[] _states; // by block
    private readonly bool[] _isWaiting;    // by block
    private readonly bool[] _isAddressed;  // by local variable
    private readonly ParameterFact?[] _parameters;
    private readonly int[] _firstInputs;   // by instruction, counted from 1; 0 where control never comes
    private readonly int[] _inputCounts;
    private readonly int[] _below;
    private readonly int?[] _loadedFrom;
    private readonly FlowEntry?[] _locals;
    private FlowEntry[] _inputs;
    private FlowEntry[] _stack;
    private int _recorded;
    private int _height;
    private int _nextWaiting;
    private long _workLeft;

    /// <summary>Analyses a method.</summary>
    /// <param name="body">The method.</param>
    /// <param name="effects">What its calls take and give.</param>
    /// <param name="map">Its module's tokens of tables and slots.</param>
    /// <param name="parameters">What is known of its parameters, by number; may be shorter than they are.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: the IL breaks the rules of the evaluation stack.</exception>
    public StackFlow(MethodBody body, StackEffects effects, SlotMap map, ParameterFact?[] parameters)
    {
        Body = body;
        Code = IlReader.Decode(body.Il);
        _effects = effects;
        _workLeft = MoreWork + (WorkPerInstruction * Code.Length);
        Step = new Step(map, Code);
        _isAddressed = new bool[body.LocalCount];
        _parameters = [.. parameters];
        FindChanges();
        _control = new ControlFlow(body, Code, _workLeft);
        if (_control.Blocks is not [{ Previous.Count: 0 }])
            LiveLocals.Find(body, Code, _control.Blocks, _isAddressed, _workLeft);
        _states = new FlowState?[_control.Blocks.Count];
        _isWaiting = new bool[_control.Blocks.Count];
        _firstInputs = new int[Code.Length];
        _inputCounts = new int[Code.Length];
        _below = new int[Code.Length];
        _loadedFrom = new int?[Code.Length];
        _locals = new FlowEntry[body.LocalCount];
        _stack = new FlowEntry[Math.Min(body.MaxStack, 8)];
        _inputs = new FlowEntry[Code.Length];
        Run();
    }

    /// <summary>The method.</summary>
    public MethodBody Body { get; }

    /// <summary>What its instructions do to places and slots.</summary>
    public Step Step { get; }

    /// <summary>Its instructions.</summary>
    public Instruction[] Code { get; }

    /// <summary>Where paths join that bring different entries of the stack.</summary>
    public Joins StackJoins { get; } = new();

    /// <summary>Where paths join on which a local variable was stored to by different instructions.</summary>
    public Joins LocalJoins { get; } = new();

    /// <summary>Number of an instruction's output: <c>dup</c> has two, others at most one.</summary>
    public static int OutputOf(int index, int output) => (2 * index) + output;

    /// <summary>The instruction that an output belongs to, by index.</summary>
    public static int OwnerOf(int output) => output >> 1;

    /// <summary>Whether control can come to an instruction.</summary>
    public bool IsReached(int index) => _firstInputs[index] > 0;

    /// <summary>Whether control can come to an instruction otherwise than from the one before it, or may leave that one otherwise.</summary>
    public bool IsBlockStart(int index) => _control.IsStart(index);

    /// <summary>What an instruction takes from the stack, deepest first; nothing where it is never reached.</summary>
    public ReadOnlySpan<FlowEntry> InputsOf(int index) => IsReached(index) ? new(_inputs, _firstInputs[index] - 1, _inputCounts[index]) : [];

    /// <summary>How many inputs all instructions have.</summary>
    public int InputCount => _recorded;

    /// <summary>Number of an input among those of all instructions.</summary>
    public int NumberOf(int index, int input) => _firstInputs[index] - 1 + input;

    /// <summary>How many entries are on the stack below an instruction's inputs.</summary>
    public int Below(int index) => _below[index];

    /// <summary>For a load of a local variable: the store whose value it loads, or the join of several; <see langword="null"/> where that is not known, and for other instructions.</summary>
    public int? LoadedFrom(int index) => _loadedFrom[index];

    /// <summary>What is known of the parameter that an instruction loads, if anything is.</summary>
    public ParameterFact? ParameterAt(int index) =>
        _parameters.Length > 0 && Code[index].LoadedArgument is >= 0 and var argument && argument < _parameters.Length ? _parameters[argument] : null;

    /// <summary>Whether a local variable can change without a store to it.</summary>
    public bool IsAddressed(int local) => _isAddressed[local];

    /// <summary>Finds the variables and parameters that change unseen.</summary>
    private void FindChanges()
    {
        for (int i = 0; i < Code.Length; i++)
        {
            if (Code[i].AddressedLocal is >= 0 and var local)
                _isAddressed[Local(local, i)] = true;
            if (Code[i].ChangedArgument is >= 0 and var argument && argument < _parameters.Length)
                _parameters[argument] = null;
        }
    }

    private void Run()
    {
        Arrive(_control.Blocks[0], []);
        while (_nextWaiting < _isWaiting.Length)
        {
            int block = _nextWaiting++;
            if (!_isWaiting[block])
                continue;
            _isWaiting[block] = false;
            Run(_control.Blocks[block], _states[block]!);
        }
    }

    private void Run(Block block, FlowState state)
    {
        while (_stack.Length < state.Stack.Length)
            Array.Resize(ref _stack, 2 * _stack.Length);
        _height = state.Stack.Length;
        Array.Copy(state.Stack, _stack, _height);
        for (int k = 0; k < state.Locals.Length; k++)
            _locals[block.Live[k]] = state.Locals[k];
        foreach (Edge edge in block.Handlers)
            Follow(edge);

        Spend(block.End - block.First, block.First);
        for (int i = block.First; i < block.End; i++)
            Execute(i, block);
        foreach (Edge edge in block.Next)
            Follow(edge);
    }

    private void Execute(int index, Block block)
    {
        Instruction instruction = Code[index];
        (int taken, int put) = _effects.Of(instruction, Body.ReturnsValue);
        if (_height < taken)
            throw Bad(index, $"{instruction.Code.Name} takes more than the stack holds");
        _height -= taken;
        ReadOnlySpan<FlowEntry> inputs = Record(index, taken);
        FlowValue output = put == 0 ? FlowValue.Plain : Step.Output(index, inputs);

        if (instruction.LoadedLocal is >= 0 and var loaded && !_isAddressed[Local(loaded, index)])
        {
            output = LocalOf(loaded).Value;
            _loadedFrom[index] = LocalOf(loaded).Source;
        }
        else if (instruction.StoredLocal is >= 0 and var stored && !_isAddressed[Local(stored, index)])
        {
            _locals[stored] = new FlowEntry(inputs[0].Value, index);
            foreach (Edge edge in block.Handlers)
                ReachHandler(edge.To, stored);
        }
        else if (ParameterAt(index) is { } fact)
        {
            output = fact.Kind == FlowKind.Slot ? FlowValue.Slot(fact.Node, index) : FlowValue.Table(fact.Node, IndexSet.Of(index));
        }

        if (_height + put > Body.MaxStack)
            throw Bad(index, $"the stack grows beyond its {Body.MaxStack} entries");
        if (_height + put > _stack.Length)
            Array.Resize(ref _stack, 2 * (_height + put));
        _below[index] = _height;
        for (int k = 0; k < put; k++)
            _stack[_height++] = new FlowEntry(output, OutputOf(index, k));
        if (instruction.Is(OpCodes.Ret) && _height > 0)
            throw Bad(index, $"ret leaves {_height} entries on the stack");
    }

    /// <summary>Keeps what was just taken from the stack. A later run of the block knows less, and keeps that in the same place.</summary>
    private ReadOnlySpan<FlowEntry> Record(int index, int taken)
    {
        if (_firstInputs[index] == 0)
        {
            if (_recorded + taken > _inputs.Length)
                Array.Resize(ref _inputs, 2 * (_recorded + taken));
            _firstInputs[index] = _recorded + 1;
            _inputCounts[index] = taken;
            _recorded += taken;
        }

        Array.Copy(_stack, _height, _inputs, _firstInputs[index] - 1, taken);
        return InputsOf(index);
    }

    private void Follow(Edge edge) => Arrive(edge.To, edge.Stack switch
    {
        ArrivingStack.Kept => _stack.AsSpan(0, _height),
        ArrivingStack.Exception => CaughtException,
        _ => [],
    });

    private void Arrive(Block block, ReadOnlySpan<FlowEntry> stack)
    {
        if (_states[block.Number] is not { } known)
        {
            Spend(1 + stack.Length + block.Live.Count, block.First);
            var locals = new FlowEntry[block.Live.Count];
            for (int k = 0; k < locals.Length; k++)
                locals[k] = LocalOf(block.Live[k]);
            _states[block.Number] = new FlowState(stack.ToArray(), locals);
            Wait(block);
            return;
        }

        if (known.Stack.Length != stack.Length)
            throw Bad(block.First, $"paths arrive with {known.Stack.Length} and {stack.Length} entries on the stack");
        Spend(1, block.First);
        for (int k = 0; k < stack.Length; k++)
            Merge(block, StackJoins, known.Stack, k, stack[k]);
        for (int k = 0; k < known.Locals.Length; k++)
            Merge(block, LocalJoins, known.Locals, k, LocalOf(block.Live[k]));
    }

    /// <summary>A handler may find in a variable what was just stored.</summary>
    private void ReachHandler(Block handler, int stored)
    {
        if (handler.Live.BinarySearch(stored) is >= 0 and var number)
            Merge(handler, LocalJoins, _states[handler.Number]!.Locals, number, LocalOf(stored));
    }

    private void Merge(Block block, Joins joins, FlowEntry[] entries, int number, FlowEntry arriving)
    {
        Spend(1, block.First);
        FlowEntry known = entries[number];
        FlowValue value = known.Value.Merge(arriving.Value);
        int source = joins.Merge(block, number, known.Source, arriving.Source);
        if (ReferenceEquals(value, known.Value) && source == known.Source)
            return;
        entries[number] = new FlowEntry(value, source);
        Wait(block);
    }

    /// <summary>What a variable holds here; where nothing was stored yet, its first value.</summary>
    private FlowEntry LocalOf(int number) =>
        _locals[number] ??= new FlowEntry(FlowValue.Plain, LocalJoins.AddFirst(_control.Blocks[0], number));

    private void Wait(Block block)
    {
        _isWaiting[block.Number] = true;
        _nextWaiting = Math.Min(_nextWaiting, block.Number);
    }

    private void Spend(int work, int index)
    {
        _workLeft -= work;
        if (_workLeft < 0)
            throw Bad(index, "it has too many paths and variables");
    }

    private int Local(int number, int index) => number < Body.LocalCount
        ? number
        : throw Bad(index, $"there is no local variable {number}");

    private PatchException Bad(int index, string what) => Body.CannotBeFollowed(Code[index].Offset, what);
}
