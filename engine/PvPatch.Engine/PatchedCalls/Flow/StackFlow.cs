using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Abstract interpretation of one method: what every instruction takes from the evaluation stack, and which instructions
/// put it there. A worklist over basic blocks; where paths join, less is known than on any of them. Protected regions are
/// followed as in ECMA-335, partition III, 1.7.5 and 3.46: a handler may start after any instruction of its region.
/// </summary>
internal sealed class StackFlow
{
    /// <summary>How many entries are carried along paths at most: a damaged method can have 65,535 variables in thousands of regions.</summary>
    private const long MostWork = 1 << 22;

    private readonly StackEffects _effects;
    private readonly Dictionary<int, int> _indexAt = [];
    private readonly FlowState?[] _states;
    private readonly bool[] _isAddressed;
    private readonly ParameterFact?[] _parameters;
    private readonly Stack<int> _waiting = new();
    private readonly Dictionary<ExceptionRegion, FlowState> _ends = [];
    private readonly Dictionary<ExceptionRegion, HashSet<int>> _leftFor = [];
    private bool _isRecording;
    private long _work;

    /// <summary>Analyses a method.</summary>
    /// <param name="body">The method.</param>
    /// <param name="effects">What its calls take and give.</param>
    /// <param name="map">Its module's tokens of tables and slots.</param>
    /// <param name="parameters">What is known of its parameters, by number; may be shorter than they are.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: the IL breaks the rules of the evaluation stack.</exception>
    public StackFlow(MethodBody body, StackEffects effects, SlotMap map, IReadOnlyList<ParameterFact?> parameters)
    {
        Body = body;
        Code = IlReader.Decode(body.Il);
        _indexAt.EnsureCapacity(Code.Length + 1);
        _effects = effects;
        Step = new Step(map, Code);
        for (int i = 0; i < Code.Length; i++)
            _indexAt[Code[i].Offset] = i;
        IsBlockStart = FindBlocks();
        _states = new FlowState?[Code.Length];
        _isAddressed = new bool[body.LocalCount];
        foreach (Instruction instruction in Code.Where(i => i.AddressedLocal >= 0))
            _isAddressed[Local(instruction.AddressedLocal, instruction)] = true;
        _parameters = [.. parameters];
        foreach (Instruction instruction in Code.Where(i => i.ChangedArgument >= 0 && i.ChangedArgument < _parameters.Length))
            _parameters[instruction.ChangedArgument] = null;
        Inputs = new FlowEntry[]?[Code.Length];
        Below = new int[Code.Length];
        LoadedFrom = new IndexSet[Code.Length];
        Run();
    }

    /// <summary>The method.</summary>
    public MethodBody Body { get; }

    /// <summary>What its instructions do to places and slots.</summary>
    public Step Step { get; }

    /// <summary>Its instructions.</summary>
    public Instruction[] Code { get; }

    /// <summary>Whether control can come to an instruction, or a protected region starts or ends there, by index.</summary>
    public bool[] IsBlockStart { get; }

    /// <summary>What each instruction takes from the stack, deepest first; <see langword="null"/> where it is never reached.</summary>
    public FlowEntry[]?[] Inputs { get; }

    /// <summary>Entries on the stack below the inputs of each instruction.</summary>
    public int[] Below { get; }

    /// <summary>For loads of local variables: the stores whose value they may load.</summary>
    public IndexSet[] LoadedFrom { get; }

    /// <summary>The entries that paths bring together where they join: each is one entry, whichever path put it there.</summary>
    public IEnumerable<FlowEntry> Joined => _states.OfType<FlowState>().SelectMany(s => s.Stack);

    /// <summary>Number of an instruction's output: <c>dup</c> has two, others at most one.</summary>
    public static int OutputOf(int index, int output) => (2 * index) + output;

    /// <summary>The instruction that an output belongs to, by index.</summary>
    public static int OwnerOf(int output) => output >> 1;

    /// <summary>What is known of the parameter that an instruction loads, if anything is.</summary>
    public ParameterFact? ParameterAt(int index) =>
        Code[index].LoadedArgument is >= 0 and var argument && argument < _parameters.Length ? _parameters[argument] : null;

    /// <summary>Whether a local variable can change without a store to it.</summary>
    public bool IsAddressed(int local) => _isAddressed[local];

    private void Run()
    {
        if (Code.Length == 0)
            throw Bad(0, "there is none");
        Arrive(0, FlowState.AtEntry(Body.LocalCount));
        if (Array.IndexOf(IsBlockStart, true) < 0)
            _waiting.Clear(); // one block: its one run records
        while (_waiting.TryPop(out int start))
            RunBlock(start);

        _isRecording = true;
        for (int i = 0; i < _states.Length; i++)
        {
            if (_states[i] is not null)
                RunBlock(i);
        }
    }

    private void RunBlock(int start)
    {
        FlowState state = _states[start]!.Copy();
        ReachHandlers(start, state);
        for (int i = start; ; i++)
        {
            Execute(i, state);
            if (Code[i].StoredLocal >= 0)
                ReachHandlers(i, state);
            if (!GoOn(i, state))
                return;
            if (i + 1 == Code.Length)
                throw Bad(i, "control runs off its end");
            if (IsBlockStart[i + 1])
            {
                Arrive(i + 1, state);
                return;
            }
        }
    }

    private void Execute(int index, FlowState state)
    {
        Instruction instruction = Code[index];
        (int taken, int put) = _effects.Of(instruction, Body.ReturnsValue);
        if (state.Stack.Count < taken)
            throw Bad(index, $"{instruction.Code.Name} takes more than the stack holds");
        FlowEntry[] inputs = state.Pop(taken);
        FlowValue output = put == 0 ? FlowValue.Plain : Step.Output(index, inputs);

        if (instruction.LoadedLocal is >= 0 and var loaded && !_isAddressed[Local(loaded, instruction)])
        {
            output = state.Locals[loaded].Value;
            LoadedFrom[index] = state.Locals[loaded].Sources;
        }
        else if (instruction.StoredLocal is >= 0 and var stored && !_isAddressed[Local(stored, instruction)])
        {
            state.Locals[stored] = new FlowEntry(inputs[0].Value, IndexSet.Of(index));
        }

        else if (ParameterAt(index) is { } fact)
        {
            output = fact.Kind == FlowKind.Slot ? FlowValue.Slot(fact.Node, index) : FlowValue.Table(fact.Node, IndexSet.Of(index));
        }

        for (int k = 0; k < put; k++)
            state.Stack.Add(new FlowEntry(output, IndexSet.Of(OutputOf(index, k))));
        if (instruction.Is(OpCodes.Ret) && state.Stack.Count > 0)
            throw Bad(index, $"ret leaves {state.Stack.Count} entries on the stack");
        if (state.Stack.Count > Body.MaxStack)
            throw Bad(index, $"the stack grows beyond its {Body.MaxStack} entries");
        if (_isRecording)
        {
            Inputs[index] = inputs;
            Below[index] = state.Stack.Count - put;
        }
    }

    /// <summary>Follows the branches of an instruction.</summary>
    /// <returns>Whether control also goes to the next instruction.</returns>
    private bool GoOn(int index, FlowState state)
    {
        Instruction instruction = Code[index];
        if (instruction.Is(OpCodes.Leave) || instruction.Is(OpCodes.Leave_S))
        {
            Leave(instruction, state);
            return false;
        }

        if (instruction.Is(OpCodes.Endfinally))
            EndFinally(instruction, state);
        else if (instruction.Is(OpCodes.Endfilter))
            EndFilter(instruction, state);
        else if (IlReader.IsBranch(instruction))
            Arrive(_indexAt[(int)instruction.Operand], state);
        foreach (int target in instruction.Targets)
            Arrive(_indexAt[target], state);

        return !instruction.Is(OpCodes.Jmp)
            && instruction.Code.FlowControl is not (FlowControl.Branch or FlowControl.Return or FlowControl.Throw);
    }

    /// <summary>Goes to a target with an empty stack, through every finally block on the way.</summary>
    private void Leave(Instruction instruction, FlowState state)
    {
        int target = _indexAt[(int)instruction.Operand];
        Arrive(target, state.WithStack());
        foreach (ExceptionRegion region in Body.Regions.Where(r => r.Kind == ExceptionRegionKind.Finally))
        {
            if (!IsInTry(region, instruction.Offset) || IsInTry(region, (int)instruction.Operand))
                continue;
            if (!_leftFor.TryGetValue(region, out HashSet<int>? targets))
                _leftFor[region] = targets = [];
            if (targets.Add(target) && _ends.TryGetValue(region, out FlowState? end))
                Arrive(target, end);
        }
    }

    private void EndFinally(Instruction instruction, FlowState state)
    {
        foreach (ExceptionRegion region in Body.Regions.Where(r => r.Kind == ExceptionRegionKind.Finally && IsInHandler(r, instruction.Offset)))
        {
            FlowState end = state.WithStack().Copy();
            if (!_ends.TryAdd(region, end))
                _ends[region].Merge(end);
            foreach (int target in _leftFor.GetValueOrDefault(region) ?? [])
                Arrive(target, _ends[region]);
        }
    }

    private void EndFilter(Instruction instruction, FlowState state)
    {
        foreach (ExceptionRegion region in Body.Regions.Where(r => r.Kind == ExceptionRegionKind.Filter))
        {
            if (instruction.Offset >= region.FilterOffset && instruction.End == region.HandlerOffset)
                Arrive(_indexAt[region.HandlerOffset], state.WithStack(FlowEntry.FromOutside));
        }
    }

    /// <summary>The variables as they are now may be what the handlers around an instruction find.</summary>
    private void ReachHandlers(int index, FlowState state)
    {
        if (_isRecording)
            return;
        foreach (ExceptionRegion region in Body.Regions.Where(r => IsInTry(r, Code[index].Offset)))
        {
            bool takesException = region.Kind is ExceptionRegionKind.Catch or ExceptionRegionKind.Filter;
            FlowState atHandler = takesException ? state.WithStack(FlowEntry.FromOutside) : state.WithStack();
            Arrive(_indexAt[region.HandlerOffset], atHandler);
            if (region.Kind == ExceptionRegionKind.Filter)
                Arrive(_indexAt[region.FilterOffset], atHandler);
        }
    }

    private void Arrive(int index, FlowState state)
    {
        if (_isRecording)
            return;
        _work += state.Stack.Count + state.Locals.Length;
        if (_work > MostWork)
            throw Bad(index, "it has too many paths and variables");
        if (_states[index] is not { } known)
        {
            _states[index] = state.Copy();
            _waiting.Push(index);
            return;
        }

        if (known.Stack.Count != state.Stack.Count)
            throw Bad(index, $"paths arrive with {known.Stack.Count} and {state.Stack.Count} entries on the stack");
        if (known.Merge(state))
            _waiting.Push(index);
    }

    private bool[] FindBlocks()
    {
        var starts = new bool[Code.Length + 1];
        foreach (Instruction instruction in Code)
        {
            if (IlReader.IsBranch(instruction))
                starts[_indexAt[(int)instruction.Operand]] = true;
            foreach (int target in instruction.Targets)
                starts[_indexAt[target]] = true;
        }

        _indexAt[Body.Il.Length] = Code.Length; // a region may end where the method does
        foreach (ExceptionRegion region in Body.Regions)
        {
            Start(region.TryOffset);
            Start(region.TryOffset + region.TryLength);
            Start(region.HandlerOffset);
            Start(region.HandlerOffset + region.HandlerLength);
            if (region.Kind == ExceptionRegionKind.Filter)
                Start(region.FilterOffset);
            if (region.TryLength <= 0 || region.HandlerLength <= 0)
                throw Bad(0, "a protected region is empty");
        }

        _indexAt.Remove(Body.Il.Length);
        return starts;

        void Start(int offset) => starts[_indexAt.TryGetValue(offset, out int index) ? index : throw Bad(0, "a protected region starts or ends within an instruction")] = true;
    }

    private int Local(int number, Instruction instruction) => number < Body.LocalCount
        ? number
        : throw Bad(_indexAt[instruction.Offset], $"there is no local variable {number}");

    private static bool IsInTry(ExceptionRegion region, int offset) =>
        offset >= region.TryOffset && offset < region.TryOffset + region.TryLength;

    private static bool IsInHandler(ExceptionRegion region, int offset) =>
        offset >= region.HandlerOffset && offset < region.HandlerOffset + region.HandlerLength;

    private PatchException Bad(int index, string what)
    {
        int offset = index < Code.Length ? Code[index].Offset : 0;
        return new PatchException(PatchError.BadIl, $"The IL of {Body.Name} cannot be followed at {offset}: {what}.") { Method = Body.Name, Offset = offset };
    }
}
