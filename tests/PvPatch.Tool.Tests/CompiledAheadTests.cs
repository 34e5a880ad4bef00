using System.Reflection;
using Iced.Intel;

namespace PvPatch.Tool.Tests;

/// <summary>
/// Publishing compiles the interpreter ahead, which halves what a program with glibc takes to start. Whether it does hangs on rules
/// that nothing else would tell: a constraint on a type parameter is enough to leave a handler out.
/// </summary>
[TestFixture]
public sealed class CompiledAheadTests
{
    private static readonly string[] Conditions = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
    private static readonly MemoryOperand Memory = new(Register.RSP, -64);

    /// <summary>What is compiled at run time yet: code that has 128 bits as values, whose layout the framework may change.</summary>
    private static readonly string[] Excepted = ["Vector128", "UInt128"];

    [Test]
    public void Nothing_of_the_interpreter_is_compiled_while_a_program_of_integers_runs()
    {
        string tool = Compiled();
        byte[] program = [.. Assembled([.. Instructions()]), 0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]; // exit(42)
        string list = Path.Combine(Path.GetDirectoryName(tool)!, "list");
        ToolRun run = ToolRun.OfProgram("dotnet", [tool, "run", RunCommandTests.Program(program)], $"DOTNET_JitStdOutFile={list}", "DOTNET_JitDisasmSummary=1");
        Assert.That((run.Code, run.Error), Is.EqualTo((42, "")));
        string[] compiled = [.. File.ReadAllLines(list).Select(line => line[(line.IndexOf("compiled ", StringComparison.Ordinal) + 9)..])];
        Assert.That(compiled, Has.Some.StartsWith("System."), "the runtime's list says what else was compiled");
        Assert.That(compiled.Where(name => name.StartsWith("PvPatch.Emulator.", StringComparison.Ordinal) && !Excepted.Any(name.Contains)), Is.Empty);
    }

    /// <summary>Where nothing is compiled ahead, the runtime begins with code in which handlers call each other; a thread's stack must hold that.</summary>
    [Test]
    [Platform("Linux")]
    public void Handlers_that_are_not_optimised_fit_into_a_small_stack()
    {
        // mov ecx, 1000000; again: sub ecx, 1; jnz again; then exit(42)
        string program = RunCommandTests.Program([0xb9, 0x40, 0x42, 0x0f, 0, 0x83, 0xe9, 1, 0x75, 0xfb, 0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]);
        ToolRun run = ToolRun.OfShell($"ulimit -s 1024; DOTNET_TC_QuickJit=1 $TOOL run --tier 0 '{program}'");
        Assert.That((run.Code, run.Error), Is.EqualTo((42, "")));
    }

    /// <summary>The command in a folder of its own, with the emulator compiled ahead. Skips the test where the compiler for that is not there.</summary>
    private static string Compiled()
    {
        string? compiler = typeof(CompiledAheadTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "Crossgen")?.Value;
        if (!File.Exists(compiler))
            Assert.Ignore($"The ReadyToRun compiler is restored on linux-x64 only; it is not at {compiler ?? "any place"}.");
        string here = AppContext.BaseDirectory, tool = ToolRun.ScratchFile("PvPatch.dll"), folder = Path.GetDirectoryName(tool)!;
        string[] patterns = ["PvPatch.dll", "PvPatch.*.dll", "PvPatch.runtimeconfig.json", "Iced.dll", "Serilog*.dll"];
        foreach (string file in patterns.SelectMany(pattern => Directory.EnumerateFiles(here, pattern)))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        string emulator = Path.Combine(folder, "PvPatch.Emulator.dll"), framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        File.Delete(emulator);
        string[] arguments = [Path.Combine(here, "PvPatch.Emulator.dll"), "-o", emulator, "-r", Path.Combine(framework, "*.dll"), "-r", Path.Combine(folder, "*.dll"), "--targetos", "linux", "--targetarch", "x64", "-O"];
        ToolRun run = ToolRun.OfProgram(compiler, arguments);
        Assert.That(run.Code, Is.Zero, run.Out + run.Error);
        return tool;
    }

    /// <summary>Arithmetic, moves, shifts, jumps and strings in all sizes, between registers, memory and immediates.</summary>
    private static IEnumerable<Instruction> Instructions()
    {
        foreach ((int bits, Register a, Register c) in ((int, Register, Register)[])[(8, Register.AL, Register.CL), (16, Register.AX, Register.CX), (32, Register.EAX, Register.ECX), (64, Register.RAX, Register.RCX)])
        {
            foreach (string op in (string[])["Mov", "Add", "Or", "Adc", "Sbb", "And", "Sub", "Xor", "Cmp"])
            {
                yield return Instruction.Create(Of($"{op}_rm{bits}_r{bits}"), a, c);
                yield return Instruction.Create(Of($"{op}_rm{bits}_r{bits}"), Memory, c);
                yield return Instruction.Create(Of($"{op}_r{bits}_rm{bits}"), a, Memory);
                yield return Instruction.Create(Of($"{op}_rm{bits}_imm{Math.Min(bits, 32)}"), a, 5);
                yield return Instruction.Create(Of($"{op}_rm{bits}_imm{Math.Min(bits, 32)}"), Memory, 5);
            }

            foreach (string op in (string[])["Rol", "Ror", "Rcl", "Rcr", "Shl", "Shr", "Sar"])
            {
                yield return Instruction.Create(Of($"{op}_rm{bits}_imm8"), a, 3);
                yield return Instruction.Create(Of($"{op}_rm{bits}_CL"), Memory, Register.CL);
            }

            foreach (string op in (string[])["Inc", "Dec", "Neg", "Not", "Mul", "Imul"])
            {
                yield return Instruction.Create(Of($"{op}_rm{bits}"), a);
                yield return Instruction.Create(Of($"{op}_rm{bits}"), Memory);
            }

            foreach (string op in (string[])["Div", "Idiv"])
            {
                yield return Instruction.Create(Code.Mov_r32_imm32, Register.EAX, 7);
                yield return Instruction.Create(Code.Mov_r32_imm32, Register.EDX, 0);
                yield return Instruction.Create(Code.Mov_r32_imm32, Register.ECX, 3);
                yield return Instruction.Create(Of($"{op}_rm{bits}"), c);
            }

            yield return Instruction.Create(Of($"Test_rm{bits}_r{bits}"), a, c);
            yield return Instruction.Create(Of($"Test_rm{bits}_imm{Math.Min(bits, 32)}"), Memory, 1);
            yield return Instruction.Create(Of($"Xchg_rm{bits}_r{bits}"), Memory, c);
            yield return Instruction.Create(Of($"Xadd_rm{bits}_r{bits}"), a, c);
            yield return Instruction.Create(Of($"Cmpxchg_rm{bits}_r{bits}"), Memory, c);
            yield return Instruction.Create(Code.Lea_r64_m, Register.RDI, Memory);
            yield return Instruction.Create(Code.Lea_r64_m, Register.RSI, Memory);
            yield return bits switch { 8 => Instruction.CreateMovsb(64), 16 => Instruction.CreateMovsw(64), 32 => Instruction.CreateMovsd(64), _ => Instruction.CreateMovsq(64) };
            yield return bits switch { 8 => Instruction.CreateScasb(64), 16 => Instruction.CreateScasw(64), 32 => Instruction.CreateScasd(64), _ => Instruction.CreateScasq(64) };
            if (bits == 8)
                continue;

            foreach (string op in (string[])["Bsf_r", "Bsr_r", "Tzcnt_r", "Popcnt_r", "Imul_r"])
            {
                yield return Instruction.Create(Of($"{op}{bits}_rm{bits}"), a, c);
                yield return Instruction.Create(Of($"{op}{bits}_rm{bits}"), a, Memory);
            }

            foreach (string op in (string[])["Bt", "Bts", "Btr", "Btc"])
                yield return Instruction.Create(Of($"{op}_rm{bits}_imm8"), a, 3);
            foreach (string condition in Conditions)
                yield return Instruction.Create(Of($"Cmov{condition}_r{bits}_rm{bits}"), a, c);
            foreach (string wider in (string[])["Movzx", "Movsx"])
            {
                yield return Instruction.Create(Of($"{wider}_r{bits}_rm8"), a, Register.CL);
                yield return Instruction.Create(Of($"{wider}_r{bits}_rm8"), a, Memory);
            }

            yield return Instruction.Create(Of($"Shld_rm{bits}_r{bits}_imm8"), a, c, 3);
            yield return Instruction.Create(Of($"Shrd_rm{bits}_r{bits}_imm8"), a, c, 3);
            yield return Instruction.Create(Of($"Lea_r{bits}_m"), a, Memory);
        }

        foreach (string condition in Conditions)
        {
            yield return Instruction.Create(Of($"Set{condition}_rm8"), Register.AL);
            yield return Instruction.CreateBranch(Of($"J{condition}_rel8_64"), 0);
        }

        yield return Instruction.Create(Code.Movsxd_r64_rm32, Register.RAX, Register.ECX);
        yield return Instruction.Create(Code.Cdqe);
        yield return Instruction.Create(Code.Cqo);
        yield return Instruction.Create(Code.Bswap_r64, Register.RAX);
        yield return Instruction.CreateBranch(Code.Jmp_rel8_64, 0);
        yield return Instruction.CreateBranch(Code.Call_rel32_64, 0);
        yield return Instruction.Create(Code.Pop_r64, Register.RAX);
        yield return Instruction.Create(Code.Push_r64, Register.RAX);
        yield return Instruction.Create(Code.Pop_r64, Register.RAX);
    }

    private static Code Of(string name) => Enum.Parse<Code>(name);

    /// <summary>Machine code where programs start; branches go to what follows them.</summary>
    private static byte[] Assembled(Instruction[] instructions)
    {
        var bytes = new List<byte>();
        var encoder = Encoder.Create(64, new Writer(bytes));
        foreach (Instruction instruction in instructions)
        {
            Instruction next = instruction;
            ulong rip = 0x400078 + (ulong)bytes.Count;
            if (next.Op0Kind == OpKind.NearBranch64)
                next.NearBranch64 = rip + (next.Code == Code.Call_rel32_64 ? 5ul : 2);
            encoder.Encode(next, rip);
        }

        return [.. bytes];
    }

    private sealed class Writer(List<byte> bytes) : CodeWriter
    {
        public override void WriteByte(byte value) => bytes.Add(value);
    }
}
