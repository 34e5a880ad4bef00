using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which status flags each instruction reads, surely overwrites and leaves, and from that which are wanted where: backwards
/// over all blocks until nothing changes.
/// </summary>
internal static class FlagUse
{
    /// <summary>Finds the flags that each block reads and wants from before.</summary>
    public static void Follow(Region region)
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = region.Blocks.Count - 1; i >= 0; i--)
            {
                RegionBlock block = region.Blocks[i];
                Use use = AtEnd(region, block);
                for (int place = block.Instructions.Length - 1; place >= 0; place--)
                    use = Before(block, place, use);

                // A loop's head may be left before its first instruction, when no more instructions are to be executed.
                ulong wanted = block.IsLoopHead ? StatusFlags.All : use.Wanted | use.Read;
                changed |= use.Read != block.ReadFlags || wanted != block.WantedFlags;
                block.ReadFlags = use.Read;
                block.WantedFlags = wanted;
            }
        }
    }

    /// <summary>For each instruction of a block, the flags that are wanted behind it.</summary>
    public static ulong[] WantedBehind(Region region, RegionBlock block)
    {
        ulong[] wanted = new ulong[block.Instructions.Length];
        Use use = AtEnd(region, block);
        for (int place = wanted.Length - 1; place >= 0; place--)
        {
            wanted[place] = use.Wanted;
            use = Before(block, place, use);
        }

        return wanted;
    }

    /// <summary>The flags that an instruction surely overwrites.</summary>
    public static ulong Overwritten(in Instruction instruction)
    {
        if (!TranslatedForms.IsWritten(instruction))
            return 0;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Add or Mnemonic.Sub or Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Cmp or Mnemonic.Test:
            case Mnemonic.Adc or Mnemonic.Sbb or Mnemonic.Neg or Mnemonic.Popcnt or Mnemonic.Ptest or Mnemonic.Vptest or Mnemonic.Vtestps or Mnemonic.Vtestpd:
            case Mnemonic.Imul or Mnemonic.Mul or Mnemonic.Tzcnt or Mnemonic.Lzcnt or Mnemonic.Bsf or Mnemonic.Bsr:
            case Mnemonic.Ucomiss or Mnemonic.Ucomisd or Mnemonic.Comiss or Mnemonic.Comisd:
            case Mnemonic.Vucomiss or Mnemonic.Vucomisd or Mnemonic.Vcomiss or Mnemonic.Vcomisd:
                return StatusFlags.All;
            case var mnemonic when BitFieldEmitter.SetsFlags(mnemonic):
                return StatusFlags.All;
            case Mnemonic.Inc or Mnemonic.Dec:
                return StatusFlags.All & ~RFlags.Carry;
            case Mnemonic.Bt:
                return RFlags.Carry;
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar when ShiftCount(instruction) is > 0:
                return StatusFlags.All;
            case Mnemonic.Rol or Mnemonic.Ror when ShiftCount(instruction) is > 0:
                return RFlags.Carry | RFlags.Overflow;
            default:
                return 0;
        }
    }

    /// <summary>The masked count of a shift by an immediate, null of one by CL.</summary>
    public static int? ShiftCount(in Instruction instruction)
    {
        if (instruction.Op1Kind == OpKind.Register)
            return null;
        int size = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register.GetSize() : instruction.MemorySize.GetSize();
        return (int)instruction.GetImmediate(1) & (size == 8 ? 63 : 31);
    }

    /// <summary>Whether an instruction may change flags but not surely all: it then needs RFLAGS as it was, if the others are wanted.</summary>
    public static bool KeepsSome(in Instruction instruction) =>
        TranslatedForms.IsWritten(instruction) && Overwritten(instruction) is var overwritten && overwritten != StatusFlags.All &&
        (overwritten != 0 || instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror) &&
        !(ShiftCount0(instruction));

    private static bool ShiftCount0(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror && ShiftCount(instruction) == 0;

    private static ulong ReadBy(in Instruction instruction) => instruction.Mnemonic switch
    {
        _ when !TranslatedForms.IsWritten(instruction) => TranslatedForms.TouchesFlags(instruction) ? StatusFlags.All : 0,
        Mnemonic.Adc or Mnemonic.Sbb => RFlags.Carry,
        _ when instruction.ConditionCode != ConditionCode.None => Condition(instruction.ConditionCode),
        _ => 0,
    };

    private static ulong Condition(ConditionCode condition) => condition switch
    {
        ConditionCode.o or ConditionCode.no => RFlags.Overflow,
        ConditionCode.b or ConditionCode.ae => RFlags.Carry,
        ConditionCode.e or ConditionCode.ne => RFlags.Zero,
        ConditionCode.be or ConditionCode.a => RFlags.Carry | RFlags.Zero,
        ConditionCode.s or ConditionCode.ns => RFlags.Sign,
        ConditionCode.p or ConditionCode.np => RFlags.Parity,
        ConditionCode.l or ConditionCode.ge => RFlags.Sign | RFlags.Overflow,
        _ => RFlags.Zero | RFlags.Sign | RFlags.Overflow,
    };

    private static Use Before(RegionBlock block, int place, Use behind)
    {
        ref readonly Instruction instruction = ref block.Instructions[place];
        if (!TranslatedForms.Has(instruction))
            return new Use(0, StatusFlags.All);
        ulong overwritten = Overwritten(instruction);
        ulong kept = behind.Wanted & ~overwritten;
        ulong read = (behind.Read & ~overwritten) | ReadBy(instruction) | (KeepsSome(instruction) ? kept : 0);
        ulong wanted = block.MayExit(place) ? StatusFlags.All : kept | ReadBy(instruction);
        return new Use(read, wanted);
    }

    /// <summary>Behind the last instruction: what the next blocks read and want; what leaves the region, or may, wants all.</summary>
    private static Use AtEnd(Region region, RegionBlock block)
    {
        Instruction last = block.Instructions[^1];
        ulong read = 0;
        ulong wanted = Leaves(region, block, last) ? StatusFlags.All : 0;
        foreach (RegionBlock follower in block.Followers)
        {
            read |= follower.ReadFlags;
            wanted |= PageCode.AreTogether(PageCode.LastByte(last), follower.Start) ? follower.WantedFlags : StatusFlags.All;
        }

        foreach (RegionBlock site in block.ReturnSites)
            read |= site.ReadFlags;
        return new Use(read, wanted);
    }

    private static bool Leaves(Region region, RegionBlock block, in Instruction last) => last.FlowControl switch
    {
        FlowControl.ConditionalBranch => region.At(last.NearBranchTarget) == null || region.At(block.End) == null,
        FlowControl.UnconditionalBranch or FlowControl.Call => region.At(last.NearBranchTarget) == null,
        FlowControl.Next => region.At(block.End) == null,
        _ => true,
    };

    private readonly record struct Use(ulong Read, ulong Wanted);
}
