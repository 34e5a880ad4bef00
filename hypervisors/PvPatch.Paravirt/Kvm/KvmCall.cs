using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Kvm;

/// <summary>KVM's hypercalls: number in RAX, arguments in RBX, RCX, RDX and RSI, result in RAX (Documentation/virt/kvm/x86/hypercalls.rst).</summary>
internal static unsafe class KvmCall
{
    public static long Invoke(CpuState* cpu, ulong number, ulong rbx = 0, ulong rcx = 0, ulong rdx = 0, ulong rsi = 0)
    {
        cpu->Rax = number;
        cpu->Rbx = rbx;
        cpu->Rcx = rcx;
        cpu->Rdx = rdx;
        cpu->Rsi = rsi;
        return cpu->Sensitive->Vmcall(cpu) == 0 ? (long)cpu->Rax : KvmError.NoSuchCall;
    }
}
