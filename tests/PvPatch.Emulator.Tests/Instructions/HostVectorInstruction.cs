using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>An instruction on XMM registers that the host executes with a given MXCSR, as a function of machine code.</summary>
internal sealed unsafe partial class HostVectorInstruction : IDisposable
{
    private const int PageSize = 4096;

    private readonly void* _page;

    /// <param name="instruction">An instruction on XMM0, which is its result too, XMM1 and XMM2.</param>
    public HostVectorInstruction(in Instruction instruction)
    {
        const int Read = 1, Write = 2, Execute = 4, PrivateAnonymous = 0x22;
        var code = new Assembler(64);
        code.vmovups(xmm0, __xmmword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.First))]);
        code.vmovups(xmm1, __xmmword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Second))]);
        code.vmovups(xmm2, __xmmword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Third))]);
        code.stmxcsr(__dword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Host))]);
        code.ldmxcsr(__dword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Mxcsr))]);
        code.AddInstruction(instruction);
        code.stmxcsr(__dword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Mxcsr))]);
        code.ldmxcsr(__dword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.Host))]);
        code.vmovups(__xmmword_ptr[rdi + (int)Marshal.OffsetOf<Operands>(nameof(Operands.First))], xmm0);
        code.ret();
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), 0);

        // SAFETY: a new page, which is filled before it is executed and lives as long as this. mmap gives -1 for none.
        _page = Map(null, PageSize, Read | Write, PrivateAnonymous, -1, 0);
        Assert.That((nint)_page, Is.Not.EqualTo((nint)(-1)));
        bytes.ToArray().CopyTo(new Span<byte>(_page, PageSize));
        Assert.That(Protect(_page, PageSize, Read | Execute), Is.Zero);
    }

    /// <summary>Skips a test where the host has no FMA.</summary>
    public static void RequireFma()
    {
        if (!OperatingSystem.IsLinux() || !Fma.X64.IsSupported)
            Assert.Ignore("The host is not Linux on an x86-64 processor with FMA.");
    }

    /// <summary>Skips a test where the host has no F16C.</summary>
    public static void RequireF16C()
    {
        const int F16C = 1 << 29;
        if (!OperatingSystem.IsLinux() || !Avx.X64.IsSupported || (X86Base.CpuId(1, 0).Ecx & F16C) == 0)
            Assert.Ignore("The host is not Linux on an x86-64 processor with F16C.");
    }

    /// <summary>XMM0 afterwards.</summary>
    /// <param name="first">XMM0.</param>
    /// <param name="second">XMM1.</param>
    /// <param name="third">XMM2.</param>
    /// <param name="mxcsr">MXCSR, with all exceptions masked; afterwards with what was raised.</param>
    public Vector128<byte> Run(Vector128<byte> first, Vector128<byte> second, Vector128<byte> third, ref uint mxcsr)
    {
        var operands = new Operands { First = first, Second = second, Third = third, Mxcsr = mxcsr };

        // SAFETY: the code reads and writes the operands alone, and leaves MXCSR as it was.
        ((delegate* unmanaged<Operands*, void>)_page)(&operands);
        mxcsr = operands.Mxcsr;
        return operands.First;
    }

    public void Dispose() => _ = Unmap(_page, PageSize);

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);

    private struct Operands
    {
        public Vector128<byte> First;
        public Vector128<byte> Second;
        public Vector128<byte> Third;
        public uint Mxcsr;
        public uint Host;
    }
}
