using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Tests.Linux;

/// <summary>Small programs, assembled here, and how they run.</summary>
internal static class ElfProgram
{
    public const ulong ImageBase = 0x40_0000;
    public const int HeaderSize = 64 + 56;

    /// <summary>One segment with headers and code, which may be read and executed, and written if asked for.</summary>
    public static byte[] Assemble(Action<Assembler> program, bool writable = false, bool positionIndependent = false)
    {
        ulong start = positionIndependent ? 0 : ImageBase;
        var assembler = new Assembler(64);
        program(assembler);
        using var code = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(code), start + HeaderSize);
        byte[] file = new byte[HeaderSize + code.Length];
        Span<byte> header = file;
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], (ushort)(positionIndependent ? 3 : 2));
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], start + HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);
        Span<byte> segment = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], writable ? 7u : 5u);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], start);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], start);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        code.ToArray().CopyTo(header[HeaderSize..]);
        return file;
    }

    /// <summary>Runs a program with 16 MiB of memory; its end and what it wrote.</summary>
    public static (ProgramEnd End, string Output) Run(ExecutionTier tier, byte[] file, ulong maxInstructions = 10_000_000, byte[]? input = null, params string[] arguments)
    {
        using var output = new MemoryStream();
        ProgramEnd end = Run(tier, file, maxInstructions, input ?? [], output, arguments);
        return (end, System.Text.Encoding.Latin1.GetString(output.ToArray()));
    }

    /// <summary>Runs a program with 16 MiB of memory.</summary>
    public static ProgramEnd Run(ExecutionTier tier, byte[] file, ulong maxInstructions, byte[] input, Stream output, params string[] arguments)
    {
        using var program = new LinuxProgram(ElfImage.Read(file), new ProgramOptions
        {
            Path = "/test",
            Arguments = ["test", .. arguments],
            Environment = ["NAME=value"],
            MemorySize = 16 << 20,
            MaxInstructions = maxInstructions,
            Input = new StandardStream(new MemoryStream(input)),
            Output = new StandardStream(output),
            Error = new StandardStream(output),
            Tier = tier,
        });
        return program.Run();
    }
}
