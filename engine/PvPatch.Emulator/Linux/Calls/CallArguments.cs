using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>The six arguments of a system call: RDI, RSI, RDX, R10, R8, R9 (System V ABI, AMD64 supplement, A.2.1).</summary>
internal readonly record struct CallArguments(ulong A0, ulong A1, ulong A2, ulong A3, ulong A4, ulong A5)
{
    /// <summary>The first argument as a descriptor: an int.</summary>
    public int Descriptor => (int)A0;
}

/// <summary>Answers a system call: the result, or an error's number made negative.</summary>
internal delegate long SystemCallMethod(LinuxProcess process, in CallArguments call);
