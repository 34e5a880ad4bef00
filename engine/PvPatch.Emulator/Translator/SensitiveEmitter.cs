using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Engine.PatchedCalls.Emitted;
using PvPatch.Engine.Reports;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Sensitive instructions: what the interpreter's handlers do around the op (<see cref="SensitiveSteps"/>), and between it the call of
/// the op, bound by the engine.
/// </summary>
internal sealed unsafe class SensitiveEmitter(
    RegionIl il, FlagEmitter flags, HostAddresses addresses, BranchEmitter branches, SideExits exits, RegionMemory memory, SensitiveCalls? sensitive)
{
    private static readonly MethodInfo Leave = typeof(Execution).GetMethod(nameof(Execution.Leave))!;

    private readonly Lazy<EmittedCalls?> _calls = new(() => sensitive?.For(memory.Cpu));
    private readonly List<PatchedSite> _sites = [];
    private readonly LocalBuilder _value = il.Local();
    private readonly LocalBuilder _vector = il.NarrowLocal();
    private LocalBuilder? _answer;

    /// <summary>Where ops are called, in the order of the code.</summary>
    public IReadOnlyList<PatchedSite> Sites => _sites;

    /// <summary>Writes a sensitive instruction.</summary>
    public void Write(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        if (_calls.Value is null)
        {
            il.Branch(OpCodes.Br, exits.Before(ExitReason.Instruction));
            return;
        }

        switch (instruction.Mnemonic)
        {
            case Mnemonic.Cli:
                Demand(nameof(SensitiveSteps.MayChangeInterrupts64));
                ChangeInterrupts(instruction, "irq.irq_disable");
                break;
            case Mnemonic.Sti:
                Enable(block, place);
                break;
            case Mnemonic.Pushfq:
                flags.Settle();
                branches.PreparePush();
                il.StoreState(StateOffsets.RFlags, il.Flags);
                il.Op(OpCodes.Ldarg_0);
                Bind(instruction, "irq.save_fl");
                il.Store(branches.Value);
                branches.Push();
                break;
            case Mnemonic.Popfq:
                Restore(instruction);
                break;
            case Mnemonic.Mov when instruction.Code == Code.Mov_r64_cr:
                Demand(nameof(SensitiveSteps.IsSupervisor64));
                il.Op(OpCodes.Ldarg_0);
                Bind(instruction, ReadOf(instruction.Op1Register));
                il.PopRegister(instruction.Op0Register);
                break;
            default:
                WriteExact(block, place);
                break;
        }
    }

    /// <summary>The instruction behind STI is written.</summary>
    public void EndShadow()
    {
        exits.InShadow = false;
        il.Op(OpCodes.Ldarg_0);
        il.Call(Step(nameof(SensitiveSteps.EndShadow)));
    }

    private static MethodInfo Step(string name) => typeof(SensitiveSteps).GetMethod(name)!;

    private static string ReadOf(Register register) => register switch
    {
        Register.CR0 => "cpu.read_cr0",
        Register.CR2 => "mmu.read_cr2",
        Register.CR3 => "mmu.read_cr3",
        Register.CR4 => "cpu.read_cr4",
        _ => "cpu.read_cr8",
    };

    private static string WriteOf(Register register) => register switch
    {
        Register.CR0 => "cpu.write_cr0",
        Register.CR2 => "mmu.write_cr2",
        Register.CR3 => "mmu.write_cr3",
        Register.CR4 => "cpu.write_cr4",
        _ => "cpu.write_cr8",
    };

    /// <summary>
    /// STI. The shadow is a bit of the state, as the interpreter has it, while the next instruction is executed; if that cannot be in the
    /// region, or calls something, the loop executes it.
    /// </summary>
    private void Enable(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        bool goesOn = place + 2 < block.Instructions.Length && TranslatedForms.IsWritten(block.Instructions[place + 1]);
        Demand(goesOn ? nameof(SensitiveSteps.MayOpenWindow64) : nameof(SensitiveSteps.MayChangeInterrupts64));
        ChangeInterrupts(instruction, "irq.irq_enable");
        if (goesOn)
            exits.InShadow = true;
        else
            LeaveBehind(instruction);
    }

    /// <summary>CLI and STI: the status flags of RFLAGS stay where they wait.</summary>
    private void ChangeInterrupts(in Instruction instruction, string op)
    {
        il.Op(OpCodes.Ldarg_0);
        Bind(instruction, op);
        il.LoadState(StateOffsets.RFlags);
        il.Constant(~(long)StatusFlags.All);
        il.Op(OpCodes.And);
        il.Load(il.Flags);
        il.Constant((long)StatusFlags.All);
        il.Op(OpCodes.And);
        il.Op(OpCodes.Or);
        il.Store(il.Flags);
    }

    private void Restore(in Instruction instruction)
    {
        branches.Peek(Register.RSP);
        branches.Release(sizeof(ulong));
        il.LoadState(StateOffsets.RFlags);
        il.Store(_value);
        il.Op(OpCodes.Ldarg_0);
        il.Load(branches.Value);
        Bind(instruction, "irq.restore_fl");
        il.Op(OpCodes.Ldarg_0);
        il.Load(_value);
        il.Call(Step(nameof(SensitiveSteps.EndPopFlags)));
        il.Store(_vector);
        il.LoadState(StateOffsets.RFlags);
        il.Store(il.Flags);
        flags.State = FlagState.Settled;
        Label goesOn = il.Label();
        il.Load(_vector);
        il.Branch(OpCodes.Brfalse, goesOn);
        LeaveBehind(instruction);
        il.Mark(goesOn);
    }

    /// <summary>What the machine may answer: all state is in place while the op runs, and the clock is exact.</summary>
    private void WriteExact(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Cpuid:
                _answer ??= il.Local(typeof(CpuidRegisters));
                Begin(block, place, nameof(SensitiveSteps.Begin));
                il.PushRegister(Register.EAX);
                il.PushRegister(Register.ECX);
                il.Address(_answer);
                Bind(instruction, "cpu.cpuid");
                End(instruction, nameof(SensitiveSteps.EndCpuid), () => il.Address(_answer));
                break;
            case Mnemonic.Rdmsr:
                Begin(block, place, nameof(SensitiveSteps.BeginSupervisor));
                il.PushRegister(Register.ECX);
                il.Address(_value);
                Bind(instruction, "cpu.read_msr");
                il.Store(_vector);
                End(instruction, nameof(SensitiveSteps.EndRdmsr), () => { il.Load(_vector); il.Load(_value); });
                break;
            case Mnemonic.Wrmsr:
                Begin(block, place, nameof(SensitiveSteps.BeginSupervisor));
                il.PushRegister(Register.ECX);
                il.PushRegister(Register.RDX);
                il.Small(32);
                il.Op(OpCodes.Shl);
                il.PushRegister(Register.EAX);
                il.Op(OpCodes.Conv_U8);
                il.Op(OpCodes.Or);
                Bind(instruction, "cpu.write_msr");
                il.Store(_vector);
                End(instruction, nameof(SensitiveSteps.EndChanged), () => il.Load(_vector));
                break;
            case Mnemonic.Rdtsc:
                Begin(block, place, nameof(SensitiveSteps.BeginTime));
                Bind(instruction, "cpu.read_tsc");
                il.Store(_value);
                End(instruction, nameof(SensitiveSteps.EndRdtsc), () => il.Load(_value));
                break;
            case Mnemonic.In:
                In(block, place);
                break;
            case Mnemonic.Out:
                Out(block, place);
                break;
            case Mnemonic.Mov:
                Begin(block, place, nameof(SensitiveSteps.BeginSupervisor));
                il.PushRegister(instruction.Op1Register);
                Bind(instruction, WriteOf(instruction.Op0Register));
                il.Store(_vector);
                bool changesNothing = instruction.Op0Register is Register.CR2 or Register.CR8;
                End(instruction, changesNothing ? nameof(SensitiveSteps.EndChecked) : nameof(SensitiveSteps.EndChanged), () => il.Load(_vector));
                break;
            case Mnemonic.Invlpg:
                Begin(block, place, nameof(SensitiveSteps.BeginSupervisor));
                addresses.Effective(instruction);
                Bind(instruction, "mmu.flush_tlb_one_user");
                End(instruction, nameof(SensitiveSteps.EndChanged), () => il.Small(0));
                break;
            case Mnemonic.Wbinvd:
                Plain(block, place, "cpu.wbinvd", isPrivileged: true);
                break;
            default:
                Plain(block, place, "cpu.relax", isPrivileged: false);
                break;
        }
    }

    /// <summary>An op that takes nothing and returns nothing: if nothing is what it does, nothing is left of it but the check.</summary>
    private void Plain(RegionBlock block, int place, string op, bool isPrivileged)
    {
        Instruction instruction = block.Instructions[place];
        if (_calls.Value!.IsGone(op))
        {
            if (isPrivileged)
                Demand(nameof(SensitiveSteps.IsSupervisor64));
            il.Op(OpCodes.Ldarg_0);
            Bind(instruction, op);
            return;
        }

        Begin(block, place, isPrivileged ? nameof(SensitiveSteps.BeginSupervisor) : nameof(SensitiveSteps.Begin));
        Bind(instruction, op);
        End(instruction, nameof(SensitiveSteps.End), static () => { });
    }

    private void In(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        int size = instruction.Op0Register.GetSize();
        void PushPort() => Port(instruction, 1);
        Begin(block, place, nameof(SensitiveSteps.BeginPort), () => { PushPort(); il.Small(size); });
        PushPort();
        il.Small(size);
        Bind(instruction, "io.in");
        il.Store(_vector);
        End(instruction, nameof(SensitiveSteps.EndIn), () => { il.Load(_vector); PushPort(); il.Small(size); });
    }

    private void Out(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        int size = instruction.Op1Register.GetSize();
        void PushPort() => Port(instruction, 0);
        Begin(block, place, nameof(SensitiveSteps.BeginPort), () => { PushPort(); il.Small(size); });
        PushPort();
        il.Small(size);
        il.PushRegister(instruction.Op1Register);
        Bind(instruction, "io.out");
        End(instruction, nameof(SensitiveSteps.EndOut), () => { PushPort(); il.Small(size); });
    }

    private void Port(in Instruction instruction, int operand)
    {
        if (instruction.GetOpKind(operand) == OpKind.Register)
            il.PushRegister(Register.DX);
        else
            il.Small(instruction.Immediate8);
    }

    /// <summary>Puts all state in place, and asks a step whether the instruction may be executed. The op's first argument is pushed.</summary>
    private void Begin(RegionBlock block, int place, string step, Action? pushMore = null)
    {
        flags.Settle();
        il.Spill();
        il.StoreState(StateOffsets.RFlags, il.Flags);
        il.StateAddress(StateOffsets.Left);
        il.PushLeft(block.Instructions.Length - place - 1);
        il.Op(OpCodes.Stind_I8);
        il.Constant(0);
        il.Store(il.Next);
        il.Op(OpCodes.Ldarg_0);
        il.Constant((long)memory.Alone(block.Instructions[place]));
        pushMore?.Invoke();
        il.Call(Step(step));
        il.Branch(OpCodes.Brfalse, exits.After());
        il.Op(OpCodes.Ldarg_0);
    }

    /// <summary>Lets a step finish the instruction, takes the state back, and goes on if it says so.</summary>
    private void End(in Instruction instruction, string step, Action pushResults)
    {
        DecodedInstruction* alone = memory.Alone(instruction);
        il.Op(OpCodes.Ldarg_0);
        il.Constant((long)alone);
        pushResults();
        il.Call(Step(step));
        il.Store(il.Next);
        il.Fill();
        il.LoadState(StateOffsets.RFlags);
        il.Store(il.Flags);

        // As when the region was entered: handlers that are called shall not go on with the next instruction.
        il.StateAddress(StateOffsets.Left);
        il.Constant(0);
        il.Op(OpCodes.Stind_I8);
        il.Load(il.Next);
        il.Constant((long)(alone + 1));
        il.Branch(OpCodes.Bne_Un, exits.After());
    }

    /// <summary>Leaves the loop with the instruction done.</summary>
    private void LeaveBehind(in Instruction instruction)
    {
        il.Op(OpCodes.Ldarg_0);
        il.Constant((long)instruction.NextIP);
        il.Small((int)LeaveCause.Changed);
        il.Call(Leave);
        il.Store(il.Next);
        il.Branch(OpCodes.Br, exits.After());
    }

    /// <summary>Leaves the region before the instruction, which the interpreter then executes, unless a condition holds.</summary>
    private void Demand(string condition)
    {
        il.Op(OpCodes.Ldarg_0);
        il.Call(Step(condition));
        il.Branch(OpCodes.Brfalse, exits.Before(ExitReason.Instruction));
    }

    private void Bind(in Instruction instruction, string op) => _sites.Add(_calls.Value!.Write(il.Generator, op, "guest", $"0x{instruction.IP:x} {instruction}"));
}
