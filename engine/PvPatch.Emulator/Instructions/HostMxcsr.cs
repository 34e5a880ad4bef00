using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// MXCSR of the host (Intel SDM vol. 1, 10.2.3). While translated code computes on floating-point numbers the host's register holds what the guest's does, so
/// that the host's own instructions round as the guest asks, and tell which exceptions they had. .NET has no words for LDMXCSR and
/// STMXCSR: they are a few bytes of machine code here. All else on the thread runs with the register as .NET has it.
/// </summary>
internal static unsafe partial class HostMxcsr
{
    /// <summary>As .NET has it: nothing raised, all exceptions masked, rounding to the nearest.</summary>
    private const uint Usual = 0x1f80;

    private const int PageSize = 4096;

    private static readonly byte* Code = OperatingSystem.IsLinux() && X86Base.X64.IsSupported && Avx.IsSupported ? Allocate() : null;

    private static readonly delegate* unmanaged[SuppressGCTransition]<uint*, void> Load = (delegate* unmanaged[SuppressGCTransition]<uint*, void>)Code;

    private static readonly delegate* unmanaged[SuppressGCTransition]<uint*, void> Store = (delegate* unmanaged[SuppressGCTransition]<uint*, void>)(Code + 4);

    /// <summary>Whether translated code can use the host's floating-point instructions. They are AVX's, on Linux; elsewhere the interpreter computes.</summary>
    public static bool IsSupported { get; } = Code != null;

    /// <summary>LDMXCSR [rdi]; RET; STMXCSR [rdi]; RET.</summary>
    private static ReadOnlySpan<byte> Instructions => [0x0f, 0xae, 0x17, 0xc3, 0x0f, 0xae, 0x1f, 0xc3];

    /// <summary>Gives the host's register what the guest's holds.</summary>
    /// <returns>Whether it could: an exception that the guest does not mask would come over the host. Then the register is as it was.</returns>
    // Optimised at once, as what the runtime does when it compiles anew must not come between this and translated code.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Enter(CpuState* cpu)
    {
        uint guest = cpu->Mxcsr;
        if ((guest & (MxcsrBits.AllFlags << MxcsrBits.MaskShift)) != MxcsrBits.AllFlags << MxcsrBits.MaskShift)
            return false;
        uint host;

        // SAFETY: the code stores and loads 4 bytes. All exceptions are masked. What the host has raised so far is of no consequence where the guest has it raised too.
        Store(&host);
        if (((host ^ guest) & ~MxcsrBits.AllFlags) != 0 || (host & ~guest) != 0)
            Load(&guest);
        return true;
    }

    /// <summary>Takes what was raised since <see cref="Enter"/> into the guest's register, and leaves the host's as .NET has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Leave(CpuState* cpu)
    {
        uint host;

        // SAFETY: as in Enter; what it loads is what .NET starts its threads with.
        Store(&host);
        cpu->Mxcsr |= host & MxcsrBits.AllFlags;
        if ((host & ~MxcsrBits.AllFlags) == Usual)
            return;
        host = Usual;
        Load(&host);
    }

    private static byte* Allocate()
    {
        const int Read = 1, Write = 2, Execute = 4, PrivateAnonymous = 0x22;

        // SAFETY: a new page, which is filled before it is executed and stays for the life of the process. mmap gives -1 for none.
        void* page = Map(null, PageSize, Read | Write, PrivateAnonymous, -1, 0);
        if (page == (void*)-1)
            return null;
        Instructions.CopyTo(new Span<byte>(page, PageSize));
        return Protect(page, PageSize, Read | Execute) == 0 ? (byte*)page : null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint length, int protection);
}
