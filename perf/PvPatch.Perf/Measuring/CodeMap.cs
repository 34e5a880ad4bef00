using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Reflection;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Measuring;

/// <summary>
/// Knows the machine code of every method that is compiled while it listens to the runtime's events: where it begins, its size and
/// its tier. So what is shown is what ran, in the last tier, also of patched copies.
/// </summary>
public sealed class CodeMap : EventListener
{
    /// <summary>The last tier, with what the profile told.</summary>
    public const string Optimised = "Tier1";

    /// <summary>Optimised when it was first called.</summary>
    public const string OptimisedAtOnce = "FullOpts";

    private const EventKeywords Jit = (EventKeywords)0x10;
    private const int MostJumps = 4;

    private readonly ConcurrentDictionary<ulong, CompiledMethod> _byAddress = new();
    private readonly ConcurrentDictionary<ulong, CompiledMethod> _byMethod = new();

    /// <summary>The code of a method as it is now; null where it is not known.</summary>
    /// <param name="method">A method that has run.</param>
    public MachineCode? Find(MethodBase method)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        return At((ulong)method.MethodHandle.GetFunctionPointer())
            ?? (_byMethod.TryGetValue((ulong)method.MethodHandle.Value, out CompiledMethod? code) ? Shown(code) : null);
    }

    /// <summary>The code that is called at an address; null where it is not known.</summary>
    /// <param name="entry">The address, perhaps of a stub of the runtime.</param>
    public MachineCode? At(ulong entry) =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && _byAddress.TryGetValue(CodeBehind(entry), out CompiledMethod? code) ? Shown(code) : null;

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(eventSource, EventLevel.Verbose, Jit);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) is not true || _byAddress is null)
            return;
        object? Field(string name) => eventData.Payload![eventData.PayloadNames!.IndexOf(name)];
        var code = new CompiledMethod(
            (ulong)Field("MethodStartAddress")!,
            (int)(uint)Field("MethodSize")!,
            TierOf((uint)Field("MethodFlags")!),
            $"{LastWord((string)Field("MethodNamespace")!)}.{Field("MethodName")}");
        _byAddress[code.Start] = code;
        _byMethod[(ulong)Field("MethodID")!] = code;
    }

    /// <summary>Bits 7 to 9 of the flags of the event MethodLoadVerbose_V2 (the runtime's ClrEtwAll.man).</summary>
    private static string TierOf(uint flags) => ((flags >> 7) & 7) switch
    {
        1 => "MinOpts",
        2 => OptimisedAtOnce,
        3 => "Tier0",
        4 => Optimised,
        5 => "Tier1-OSR",
        6 => "Tier0 instrumented",
        7 => "Tier1 instrumented",
        _ => "unknown tier",
    };

    private static string LastWord(string path) => path[(path.LastIndexOf('.') + 1)..];

    /// <summary>Follows the jumps of the runtime's entry stubs.</summary>
    private static unsafe ulong CodeBehind(ulong address)
    {
        for (int i = 0; i < MostJumps; i++)
        {
            // SAFETY: an address that a method is called at; the first instruction of a stub or a method has at most fifteen bytes,
            // and behind it the code heap goes on.
            var decoder = Decoder.Create(64, new ByteArrayCodeReader(new ReadOnlySpan<byte>((void*)address, 15).ToArray()), address);
            Instruction first = decoder.Decode();
            switch (first.Code)
            {
                case Code.Jmp_rm64 when first.IsIPRelativeMemoryOperand:
                    address = *(ulong*)first.IPRelativeMemoryAddress;
                    break;
                case Code.Jmp_rel32_64 or Code.Jmp_rel8_64:
                    address = first.NearBranchTarget;
                    break;
                default:
                    return address;
            }
        }

        return address;
    }

    private MachineCode Shown(CompiledMethod code) => new(code.Tier, code.Size, LinesOf(code));

    private unsafe string[] LinesOf(CompiledMethod code)
    {
        // SAFETY: the runtime reported this range as the method's; code of methods that cannot be unloaded stays.
        byte[] bytes = new ReadOnlySpan<byte>((void*)code.Start, code.Size).ToArray();
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes), code.Start);
        var instructions = new List<Instruction>();
        while (decoder.IP < code.Start + (ulong)code.Size)
            instructions.Add(decoder.Decode());
        while (instructions.Count > 0 && instructions[^1].Code is Code.Int3 || instructions.Count > 0 && instructions[^1].Mnemonic is Mnemonic.Nop)
            instructions.RemoveAt(instructions.Count - 1);

        Dictionary<ulong, string> labels = instructions
            .Where(i => IsBranchWithin(i, code)).Select(i => i.NearBranchTarget).Distinct().Order()
            .Select((target, index) => (target, $"L{index + 1}")).ToDictionary(l => l.target, l => l.Item2);
        var formatter = new IntelFormatter(new FormatterOptions { FirstOperandCharIndex = 8, HexPrefix = "0x" }, new Names(this, labels, code));
        var lines = new List<string>();
        var text = new StringOutput();
        foreach (Instruction instruction in instructions)
        {
            if (labels.TryGetValue(instruction.IP, out string? label))
                lines.Add($"{label}:");
            formatter.Format(instruction, text);
            lines.Add("    " + text.ToStringAndReset());
        }

        return [.. lines];
    }

    private static bool IsBranchWithin(in Instruction instruction, CompiledMethod code) =>
        instruction.Op0Kind == OpKind.NearBranch64 && instruction.NearBranchTarget - code.Start < (ulong)code.Size;

    private sealed record CompiledMethod(ulong Start, int Size, string Tier, string Name);

    /// <summary>Names for addresses: labels, methods, what a cell leads to. Other addresses differ from process to process and are left out.</summary>
    private sealed class Names(CodeMap map, Dictionary<ulong, string> labels, CompiledMethod code) : ISymbolResolver
    {
        private const ulong LeastAddress = 1UL << 32;

        public unsafe bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize, out SymbolResult symbol)
        {
            symbol = default;
            if (labels.TryGetValue(address, out string? label))
                symbol = new SymbolResult(address, label);
            else if (address - code.Start < (ulong)code.Size)
                symbol = new SymbolResult(address, "constants");
            else if (address >= LeastAddress && address >> 47 == 0)
                symbol = new SymbolResult(address, NameOf(instruction, address));
            else
                return false;
            return true;
        }

        private unsafe string NameOf(in Instruction instruction, ulong address)
        {
            bool isCell = instruction.FlowControl is FlowControl.IndirectCall or FlowControl.IndirectBranch;
            bool isCode = instruction.Op0Kind == OpKind.NearBranch64;
            if (!isCell && !isCode)
                return "data";
            // SAFETY: the code that is shown ran, so what it jumps to, or the cell it reads that from, is mapped.
            ulong target = CodeBehind(isCell ? *(ulong*)address : address);
            return map._byAddress.TryGetValue(target, out CompiledMethod? method) ? method.Name : "runtime";
        }
    }
}
