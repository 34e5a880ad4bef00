using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// The basic blocks of a method and the ways between those that control can come to. Protected regions are followed as in
/// ECMA-335, partition III, 1.7.5 and 3.46: a handler may start after any instruction of its region.
/// </summary>
internal sealed class ControlFlow
{
    private readonly DecodedIl _code;
    private readonly Block _whole = new(0, 0) { IsReached = true }; // of a method that only goes straight on
    private readonly List<Block> _blocks = [];
    private readonly List<Block> _waiting = [];
    private MethodBody _body = null!;
    private bool[] _isStart = [];             // by instruction
    private List<Block>?[] _endsOf = [];      // by region: the blocks that end its finally handler
    private List<Block>?[] _leftFor = [];     // by region: where control goes on that leaves it through that handler

    /// <summary>Follows one method after another.</summary>
    /// <param name="code">Where the instructions of each are.</param>
    public ControlFlow(DecodedIl code) => _code = code;

    /// <summary>Finds the blocks of a method.</summary>
    /// <param name="body">The method, decoded.</param>
    /// <param name="most">How many regions may lie around blocks, over all blocks.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: control runs off its end, or a region is none.</exception>
    public void Find(MethodBody body, long most)
    {
        _body = body;
        if (_code.Length == 0)
            throw body.CannotBeFollowed(0, "there is none");
        _blocks.Clear();
        Room.ForEmpty(ref _isStart, _code.Length + 1);
        _isStart[0] = true;
        if (GoesStraightOn())
        {
            _whole.End = _code.Length;
            _blocks.Add(_whole);
            return;
        }

        FindStarts();
        for (int i = 0; i < _code.Length; i++)
        {
            if (_isStart[i])
                _blocks.Add(new Block(_blocks.Count, i));
            _blocks[^1].End = i + 1;
        }

        FindRegions(most);
        _endsOf = new List<Block>?[body.Regions.Length];
        _leftFor = new List<Block>?[body.Regions.Length];
        _waiting.Clear();
        Reach(_blocks[0]);
        while (_waiting.Count > 0)
        {
            Block block = _waiting[^1];
            _waiting.RemoveAt(_waiting.Count - 1);
            FollowHandlers(block);
            Follow(block);
        }
    }

    /// <summary>The blocks, in the order of their offsets.</summary>
    public IReadOnlyList<Block> Blocks => _blocks;

    /// <summary>Whether a block starts with an instruction, by index.</summary>
    public bool IsStart(int index) => _isStart[index];

    /// <summary>Whether control goes from the first instruction to the last, and then out of the method.</summary>
    private bool GoesStraightOn()
    {
        for (int i = 0; i < _code.Length - 1; i++)
        {
            if (EndsBlock(_code[i]))
                return false;
        }

        return _code[_code.Length - 1].Code.FlowControl is FlowControl.Return or FlowControl.Throw && _body.Regions.IsEmpty;
    }

    private static bool EndsBlock(in Instruction instruction) =>
        instruction.Code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch or FlowControl.Return or FlowControl.Throw;

    private void FindStarts()
    {
        for (int i = 0; i < _code.Length; i++)
        {
            ref readonly Instruction instruction = ref _code[i];
            if (IlReader.IsBranch(instruction))
                _isStart[_code.IndexAt((int)instruction.Operand)] = true;
            foreach (int target in instruction.Targets)
                _isStart[_code.IndexAt(target)] = true;
            if (EndsBlock(instruction))
                _isStart[i + 1] = true;
        }

        for (int r = 0; r < _body.Regions.Length; r++)
        {
            ExceptionRegion region = _body.Regions[r];
            Start(region.TryOffset);
            Start(region.TryOffset + region.TryLength);
            Start(region.HandlerOffset);
            Start(region.HandlerOffset + region.HandlerLength);
            if (region.Kind == ExceptionRegionKind.Filter)
                Start(region.FilterOffset);
            if (region.TryLength <= 0 || region.HandlerLength <= 0 || region.HandlerOffset >= _body.Il.Length)
                throw _body.CannotBeFollowed(0, "a protected region is empty");
        }

        void Start(int offset)
        {
            int index = _code.IndexAt(offset);
            bool isStart = index < _code.Length ? _code[index].Offset == offset : offset == _body.Il.Length; // a region may end where the method does
            _isStart[index] = isStart ? true : throw _body.CannotBeFollowed(0, "a protected region starts or ends within an instruction");
        }
    }

    private void FindRegions(long most)
    {
        for (int r = 0; r < _body.Regions.Length; r++)
        {
            ExceptionRegion region = _body.Regions[r];
            foreach (Block block in Within(region.TryOffset, region.TryLength))
                block.Tries.Add(r);
            if (region.Kind != ExceptionRegionKind.Finally)
                continue;
            foreach (Block block in Within(region.HandlerOffset, region.HandlerLength))
                block.Finallies.Add(r);
        }

        IEnumerable<Block> Within(int offset, int length)
        {
            for (int b = BlockAt(offset).Number; b < _blocks.Count && _code[_blocks[b].First].Offset < offset + length; b++)
                yield return --most < 0 ? throw _body.CannotBeFollowed(offset, "it has too many protected regions") : _blocks[b];
        }
    }

    private Block BlockAt(int offset)
    {
        int low = 0, high = _blocks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_code[_blocks[middle].First].Offset <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        return _blocks[low];
    }

    private void Follow(Block block)
    {
        ref readonly Instruction last = ref _code[block.End - 1];
        if (last.Is(OpCodes.Leave) || last.Is(OpCodes.Leave_S))
        {
            Leave(block, last);
            return;
        }

        if (last.Is(OpCodes.Endfinally))
            EndFinally(block);
        else if (last.Is(OpCodes.Endfilter))
            EndFilter(block, last);
        else if (IlReader.IsBranch(last))
            Connect(block, BlockAt((int)last.Operand), ArrivingStack.Kept);
        foreach (int target in last.Targets)
            Connect(block, BlockAt(target), ArrivingStack.Kept);

        bool goesOn = !last.Is(OpCodes.Jmp) && last.Code.FlowControl is not (FlowControl.Branch or FlowControl.Return or FlowControl.Throw);
        if (goesOn && block.End == _code.Length)
            throw _body.CannotBeFollowed(last.Offset, "control runs off its end");
        if (goesOn)
            Connect(block, _blocks[block.Number + 1], ArrivingStack.Kept);
    }

    /// <summary>Goes to a target with an empty stack, through every finally block on the way.</summary>
    private void Leave(Block block, in Instruction leave)
    {
        Block target = BlockAt((int)leave.Operand);
        Connect(block, target, ArrivingStack.Emptied);
        foreach (int r in block.Tries)
        {
            if (_body.Regions[r].Kind != ExceptionRegionKind.Finally || IsInTry(_body.Regions[r], (int)leave.Operand))
                continue;
            List<Block> targets = _leftFor[r] ??= [];
            if (targets.Contains(target))
                continue;
            targets.Add(target);
            foreach (Block end in _endsOf[r] ?? [])
                Connect(end, target, ArrivingStack.Emptied);
        }
    }

    private void EndFinally(Block block)
    {
        foreach (int r in block.Finallies)
        {
            (_endsOf[r] ??= []).Add(block);
            foreach (Block target in _leftFor[r] ?? [])
                Connect(block, target, ArrivingStack.Emptied);
        }
    }

    private void EndFilter(Block block, in Instruction end)
    {
        for (int r = 0; r < _body.Regions.Length; r++)
        {
            ExceptionRegion region = _body.Regions[r];
            if (region.Kind == ExceptionRegionKind.Filter && end.Offset >= region.FilterOffset && end.End == region.HandlerOffset)
                Connect(block, BlockAt(region.HandlerOffset), ArrivingStack.Exception);
        }
    }

    private void FollowHandlers(Block block)
    {
        foreach (int r in block.Tries)
        {
            ExceptionRegion region = _body.Regions[r];
            bool takesException = region.Kind is ExceptionRegionKind.Catch or ExceptionRegionKind.Filter;
            AddHandler(block, region.HandlerOffset, takesException ? ArrivingStack.Exception : ArrivingStack.Emptied);
            if (region.Kind == ExceptionRegionKind.Filter)
                AddHandler(block, region.FilterOffset, ArrivingStack.Exception);
        }
    }

    private void AddHandler(Block block, int offset, ArrivingStack stack) => block.Handlers.Add(Connection(block, BlockAt(offset), stack, isException: true));

    private void Connect(Block from, Block to, ArrivingStack stack) => from.Next.Add(Connection(from, to, stack, isException: false));

    private Edge Connection(Block from, Block to, ArrivingStack stack, bool isException)
    {
        var edge = new Edge(from, to, stack, isException);
        to.Previous.Add(edge);
        Reach(to);
        return edge;
    }

    private void Reach(Block block)
    {
        if (block.IsReached)
            return;
        block.IsReached = true;
        _waiting.Add(block);
    }

    private static bool IsInTry(ExceptionRegion region, int offset) =>
        offset >= region.TryOffset && offset < region.TryOffset + region.TryLength;
}
