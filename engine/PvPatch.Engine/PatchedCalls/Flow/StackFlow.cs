using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Abstract interpretation of methods, one after another: what every instruction takes from the evaluation stack, and which
/// instructions put it there. A worklist over basic blocks, the first one first; where paths join, less is known than on any of them.
/// </summary>
internal sealed class StackFlow
{
    /// <summary>What following a method may cost, in entries, for each instruction and besides: a damaged one can have any number of paths, variables and regions.</summary>
    private const long WorkPerInstruction = 64, MoreWork = 1 << 20;

    private static readonly FlowEntry[] CaughtException = [new(FlowValue.Plain, Joins.Outside)];

    private readonly StackEffects _effects;
    private readonly SlotMap _map;
    private readonly ControlFlow _control;
    private ParameterFact?[] _parameters = [];
    private Trace[] _traces = [];          // by instruction
    private FlowState?[] _states = [];     // by block
    private bool[] _isWaiting = [];        // by block
    private bool[] _isAddressed = [];      // by local variable
    private FlowEntry[] _locals = [];      // without a value where nothing is known yet
    private FlowEntry[] _inputs = [];
    private FlowEntry[] _stack = new FlowEntry[8];
    private int _recorded;
    private int _height;
    private int _nextWaiting;
    private long _workLeft;

    /// <summary>Prepares for the methods of a module.</summary>
    /// <param name="image">The module.</param>
    /// <param name="map">Its tokens of tables and slots.</param>
    public StackFlow(ModuleImage image, SlotMap map)
    {
        _effects = new StackEffects(image.Shapes);
        _map = map;
        _control = new ControlFlow(Code);
    }

    /// <summary>Analyses a method. What was known of the one before is gone.</summary>
    /// <param name="body">The method.</param>
    /// <param name="parameters">What is known of its parameters, by number; may be shorter than they are.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: the IL breaks the rules of the evaluation stack.</exception>
    public void Follow(MethodBody body, ParameterFact?[] parameters)
    {
        Body = body;
        Code.Decode(body.Il);
        _workLeft = MoreWork + (WorkPerInstruction * Code.Length);
        StackJoins.Clear();
        LocalJoins.Clear();
        Room.ForEmpty(ref _isAddressed, body.LocalCount);
        Room.ForEmpty(ref _locals, body.LocalCount);
        Room.ForEmpty(ref _traces, Code.Length);
        Room.For(ref _inputs, Code.Length);
        _parameters = parameters;
        FindReads();
        _control.Find(body, _workLeft);
        if (_control.Blocks is not [{ Previous.Count: 0 }])
            LiveLocals.Find(body, Code, _control.Blocks, _isAddressed, _workLeft);
        Room.ForEmpty(ref _states, _control.Blocks.Count);
        Room.ForEmpty(ref _isWaiting, _control.Blocks.Count);
        _recorded = 0;
        _nextWaiting = 0;
        Run();
    }

    /// <summary>The method.</summary>
    public MethodBody Body { get; private set; } = null!;

    /// <summary>Its instructions.</summary>
    public DecodedIl Code { get; } = new();

    /// <summary>Where paths join that bring different entries of the stack.</summary>
    public Joins StackJoins { get; } = new();

    /// <summary>Where paths join on which a local variable was stored to by different instructions.</summary>
    public Joins LocalJoins { get; } = new();

    /// <summary>Number of an instruction's output: <c>dup</c> has two, others at most one.</summary>
    public static int OutputOf(int index, int output) => (2 * index) + output;

    /// <summary>The instruction that an output belongs to, by index.</summary>
    public static int OwnerOf(int output) => output >> 1;

    /// <summary>Whether control can come to an instruction.</summary>
    public bool IsReached(int index) => _traces[index].FirstInput > 0;

    /// <summary>Whether control can come to an instruction otherwise than from the one before it, or may leave that one otherwise.</summary>
    public bool IsBlockStart(int index) => _control.IsStart(index);

    /// <summary>What an instruction takes from the stack, deepest first; nothing where it is never reached.</summary>
    public ReadOnlySpan<FlowEntry> InputsOf(int index)
    {
        ref readonly Trace trace = ref _traces[index];
        return trace.FirstInput > 0 ? new(_inputs, trace.FirstInput - 1, trace.InputCount) : [];
    }

    /// <summary>How many inputs all instructions have.</summary>
    public int InputCount => _recorded;

    /// <summary>Number of an input among those of all instructions.</summary>
    public int NumberOf(int index, int input) => _traces[index].FirstInput - 1 + input;

    /// <summary>How many entries are on the stack below an instruction's inputs.</summary>
    public int Below(int index) => _traces[index].Below;

    /// <summary>For a load of a local variable: the store whose value it loads, or the join of several; <see langword="null"/> where that is not known, and for other instructions.</summary>
    public int? LoadedFrom(int index) => _traces[index].LoadedFrom;

    /// <summary>How an instruction reads a field of the tables; <see langword="null"/> where it reads none.</summary>
    public PlaceRead? ReadAt(int index) => _traces[index].Read;

    /// <summary>Whether an instruction does nothing but turn a place of the tables into another place or into what its slot holds.</summary>
    public bool Follows(int index) => Step.Follows(Code[index], ReadAt(index));

    /// <summary>What is known of the parameter that an instruction loads, if anything is.</summary>
    public ParameterFact? ParameterAt(int index) =>
        _parameters.Length > 0 && Code[index].LoadedArgument is >= 0 and var argument && argument < _parameters.Length ? _parameters[argument] : null;

    /// <summary>Whether a local variable can change without a store to it.</summary>
    public bool IsAddressed(int local) => _isAddressed[local];

    /// <summary>Finds the reads of the tables, and the variables and parameters that change unseen.</summary>
    private void FindReads()
    {
        bool isOwn = false;
        for (int i = 0; i < Code.Length; i++)
        {
            ref readonly Instruction instruction = ref Code[i];
            _traces[i].Read = _map.ReadBy(instruction);
            if (instruction.AddressedLocal is >= 0 and var local)
                _isAddressed[Local(local, i)] = true;
            if (_parameters.Length == 0 || instruction.ChangedArgument is not (>= 0 and var argument) || argument >= _parameters.Length)
                continue;
            if (!isOwn)
                _parameters = [.. _parameters];
            isOwn = true;
            _parameters[argument] = null;
        }
    }

    private void Run()
    {
        Arrive(_control.Blocks[0], []);
        while (_nextWaiting < _control.Blocks.Count)
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
        _height = state.Stack.Length;
        Room.For(ref _stack, _height);
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
        ref readonly Instruction instruction = ref Code[index];
        ref Trace trace = ref _traces[index];
        (int taken, int put) = _effects.Of(instruction, Body.ReturnsValue);
        if (_height < taken)
            throw Bad(index, $"{instruction.Code.Name} takes more than the stack holds");
        _height -= taken;
        ReadOnlySpan<FlowEntry> inputs = Record(index, taken);
        FlowValue output = put == 0 ? FlowValue.Plain : Step.Output(index, instruction, trace.Read, inputs);

        if (instruction.LoadedLocal is >= 0 and var loaded && !_isAddressed[Local(loaded, index)])
        {
            FlowEntry variable = LocalOf(loaded);
            output = variable.Value;
            trace.LoadedFrom = variable.Source;
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
        Room.For(ref _stack, _height + put);
        trace.Below = _height;
        for (int k = 0; k < put; k++)
            _stack[_height++] = new FlowEntry(output, OutputOf(index, k));
        if (instruction.Is(OpCodes.Ret) && _height > 0)
            throw Bad(index, $"ret leaves {_height} entries on the stack");
    }

    /// <summary>Keeps what was just taken from the stack. A later run of the block knows less, and keeps that in the same place.</summary>
    private ReadOnlySpan<FlowEntry> Record(int index, int taken)
    {
        ref Trace trace = ref _traces[index];
        if (trace.FirstInput == 0)
        {
            Room.For(ref _inputs, _recorded + taken);
            trace.FirstInput = _recorded + 1;
            trace.InputCount = taken;
            _recorded += taken;
        }

        for (int k = 0; k < taken; k++)
            _inputs[trace.FirstInput - 1 + k] = _stack[_height + k];
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
            Wait(block);
            Spend(1 + stack.Length + block.Live.Count, block.First);
            _states[block.Number] = FlowState.Empty;
            if (stack.IsEmpty && block.Live.Count == 0)
                return;
            var locals = new FlowEntry[block.Live.Count];
            for (int k = 0; k < locals.Length; k++)
                locals[k] = LocalOf(block.Live[k]);
            _states[block.Number] = new FlowState(stack.ToArray(), locals);
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
    private FlowEntry LocalOf(int number)
    {
        if (_locals[number].Value is null)
            _locals[number] = new FlowEntry(FlowValue.Plain, LocalJoins.AddFirst(_control.Blocks[0], number));
        return _locals[number];
    }

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

    /// <summary>What is known of one instruction.</summary>
    private struct Trace
    {
        public PlaceRead? Read;
        public int FirstInput; // number of its first input, counted from 1; 0 where control never comes
        public int InputCount;
        public int Below;
        public int? LoadedFrom;
    }
}
