using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>A platform with a mistake in it.</summary>
internal sealed unsafe class ThrowingPlatform : PlainPlatform
{
    public override MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value)
        => msr == Msr.Star ? throw new InvalidOperationException("platform bug") : base.ReadMsr(cpu, msr, out value);
}
