using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of instructions whose third operand is always XMM0: the variable blends and SHA256RNDS2 (Intel SDM vol. 2).</summary>
internal static unsafe class ShapesWithXmm0
{
    /// <summary>PBLENDVB, BLENDVPS, BLENDVPD between registers.</summary>
    public static DecodedInstruction* BlendRegisters<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged => VectorShapes.IsReady(cpu, u) ? Blend<T>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>PBLENDVB, BLENDVPS, BLENDVPD with memory.</summary>
    public static DecodedInstruction* BlendMemory<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged => VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Blend<T>(cpu, u, b) : null;

    /// <summary>SHA256RNDS2 between registers.</summary>
    public static DecodedInstruction* Sha256Registers(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.IsReady(cpu, u) ? Sha256(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>SHA256RNDS2 with memory.</summary>
    public static DecodedInstruction* Sha256Memory(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Sha256(cpu, u, b) : null;

    // SAFETY: XMM0 is the first of the XMM registers.
    private static Vector128<byte> Xmm0(CpuState* cpu) => Vector128.Load((byte*)cpu->Xmm);

    /// <summary>The signs of XMM0's elements choose.</summary>
    private static DecodedInstruction* Blend<T>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where T : unmanaged
    {
        VectorShapes.SetXmm(cpu, u->Op0, PackedShuffles.BlendBySigns<T>(VectorShapes.Xmm(cpu, u->Op0), b, Xmm0(cpu)));
        return u + 1;
    }

    private static DecodedInstruction* Sha256(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
    {
        VectorShapes.SetXmm(cpu, u->Op0, ShaRounds.Sha256Rounds(VectorShapes.Xmm(cpu, u->Op0), b, Xmm0(cpu)));
        return u + 1;
    }
}
