using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>RDRAND and RDSEED: the machine always has a number (Intel SDM vol. 1, 7.3.17).</summary>
internal static unsafe class RandomNumbers
{
    public static DecodedInstruction* Read<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Privileged.HasMachine(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(cpu->Sensitive->Random(cpu)));
        StatusFlags.Set(ref cpu->RFlags, RFlags.Carry);
        return u + 1;
    }
}
