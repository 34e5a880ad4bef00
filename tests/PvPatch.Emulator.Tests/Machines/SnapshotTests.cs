using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class SnapshotTests(ExecutionTier tier)
{
    /// <summary>What is the host's, not the guest's.</summary>
    private static readonly string[] HostFields =
        ["Index", "Ram", "RamSize", "Sensitive", "Machine", "Vcpu", "Tlb", "TlbGeneration", "CodePages", "NextOnMap", "Memory", "Watches", "RunsMany", "Zero", "DataTlb", "JumpCache", "FetchEpoch", "BranchesLeft", "Left", "Execution"];

    [Test]
    public void A_restored_machine_goes_on_exactly_as_the_saved_one([Values(1, 3)] int cpus, [Values(0ul, 1ul, 12_345ul, 250_007ul)] ulong before)
    {
        using CodeMachine first = Working(cpus);
        first.Run(before);
        byte[] saved = Saved(first);
        using CodeMachine second = Working(cpus);
        second.Run(777);
        second.Machine.Restore(new MemoryStream(saved));
        Assert.That(Saved(second), Is.EqualTo(saved));
        Assert.That(second.Run(300_000), Is.EqualTo(first.Run(300_000)));
        Assert.That(second.Machine.Instructions, Is.EqualTo(first.Machine.Instructions));
        Assert.That(Saved(second), Is.EqualTo(Saved(first)));
    }

    [Test]
    public void Two_runs_are_equal_to_the_last_byte_however_they_are_cut([Values(1, 3)] int cpus)
    {
        using CodeMachine first = Working(cpus);
        using CodeMachine second = Working(cpus);
        first.Run(400_000);
        for (ulong piece = 1; second.Machine.Instructions < 400_000; piece = (piece * 7 % 9973) + 1)
            second.Run(Math.Min(piece, 400_000 - second.Machine.Instructions));
        Assert.That(Saved(second), Is.EqualTo(Saved(first)));
        Assert.That(first.Machine.Memory.Read<ulong>(CodeMachine.Data), Is.GreaterThan(100ul), "timer ticks");
        if (cpus > 1) Assert.That(first.Machine.Memory.Read<ulong>(CodeMachine.Data + 0x3ff8), Is.GreaterThan(4ul), "rounds of the other vCPUs");
    }

    [Test]
    public void Every_architectural_field_of_a_vCPU_is_saved()
    {
        using var first = new CodeMachine(tier, a => a.hlt());
        using var second = new CodeMachine(tier, a => a.hlt());
        var random = new Random(1);
        foreach (System.Reflection.FieldInfo field in typeof(CpuState).GetFields())
        {
            if (HostFields.Contains(field.Name)) continue;
            random.NextBytes(Bytes(first.Cpu, field.Name));
        }

        second.Machine.Restore(new MemoryStream(Saved(first)));
        foreach (System.Reflection.FieldInfo field in typeof(CpuState).GetFields())
        {
            if (HostFields.Contains(field.Name)) continue;
            Assert.That(Values(second.Cpu, field), Is.EqualTo(Values(first.Cpu, field)), field.Name);
        }
    }

    [Test]
    public void RAM_of_all_regions_comes_back_and_decoded_code_with_it()
    {
        CodeMachine Build()
        {
            var machine = new CodeMachine(tier, a => { a.inc(rax); a.hlt(); });
            machine.Machine.Memory.AddRam(4ul << 30, 1 << 20);
            return machine;
        }

        using CodeMachine first = Build();
        first.Machine.Memory.Write(4ul << 30, 0x77ul);
        byte[] saved = Saved(first);
        first.Run();
        first.Machine.Memory.Write(CodeMachine.Code, CodeMachine.Assemble(a => { a.dec(rax); a.hlt(); }, CodeMachine.Code));
        first.Machine.Memory.Write(4ul << 30, 0ul);
        first.Machine.Memory.Write((4ul << 30) + 0x5000, 1ul);
        first.Machine.Restore(new MemoryStream(saved));
        first.Run();
        Assert.That(first.Cpu->Rax, Is.EqualTo(1ul));
        Assert.That(first.Machine.Memory.Read<ulong>(4ul << 30), Is.EqualTo(0x77ul));
        Assert.That(first.Machine.Memory.Read<ulong>((4ul << 30) + 0x5000), Is.Zero);
    }

    [Test]
    public void A_machine_that_is_built_otherwise_refuses()
    {
        using CodeMachine saved = Working(1);
        byte[] bytes = Saved(saved);
        using var moreCpus = new CodeMachine(tier, a => a.hlt(), cpus: 2);
        using var moreRam = new CodeMachine(tier, a => a.hlt(), ramSize: 5 << 20);
        using var otherClock = new CodeMachine(tier, a => a.hlt(), clock: new HostClock());
        foreach (CodeMachine machine in new[] { moreCpus, moreRam, otherClock })
        {
            byte[] before = Saved(machine);
            Assert.That(Refused(machine, bytes), Is.EqualTo(SnapshotError.OtherMachine));
            if (machine != otherClock) Assert.That(Saved(machine), Is.EqualTo(before));
        }
    }

    [Test]
    public void From_a_truncated_or_damaged_stream_comes_a_typed_error_or_what_was_saved_and_nothing_else()
    {
        using CodeMachine machine = Working(2);
        machine.Run(10_000);
        byte[] good = Saved(machine);
        machine.Run(10_000);
        byte[] before = Saved(machine);
        var random = new Random(7);
        for (int round = 0; round < 2000; round++)
        {
            byte[] bad = round % 2 == 0 ? good[..random.Next(good.Length)] : (byte[])good.Clone();
            if (round % 2 == 1) bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                machine.Machine.Restore(new MemoryStream(bad));
                Assert.That(Saved(machine), Is.EqualTo(good), $"round {round}");
                machine.Machine.Restore(new MemoryStream(before));
            }
            catch (SnapshotException exception)
            {
                Assert.That(exception.Error, Is.Not.AnyOf(SnapshotError.OtherMachine, SnapshotError.ManagedGuest), $"round {round}");
            }
        }

        Assert.That(Saved(machine), Is.EqualTo(before));
    }

    [Test]
    public void The_upper_halves_of_the_YMM_registers_are_saved()
    {
        using CodeMachine machine = Working(1);
        using CodeMachine other = Working(1);
        for (int i = 0; i < 32; i++)
            machine.Cpu->YmmHigh[i] = (ulong)i + 1;
        other.Machine.Restore(new MemoryStream(Saved(machine)));
        Assert.That(new Span<ulong>(other.Cpu->YmmHigh, 32).ToArray(), Is.EqualTo(Enumerable.Range(1, 32)));
    }

    [Test]
    public void The_kinds_of_damage_are_told_apart()
    {
        using CodeMachine machine = Working(1);
        byte[] good = Saved(machine);
        byte[] otherVersion = (byte[])good.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(otherVersion.AsSpan(8), 1);
        Assert.That(Refused(machine, "#!/bin/sh\n"u8.ToArray()), Is.EqualTo(SnapshotError.NotASnapshot));
        Assert.That(Refused(machine, otherVersion), Is.EqualTo(SnapshotError.OtherVersion));
        Assert.That(Refused(machine, good[..5]), Is.EqualTo(SnapshotError.Truncated));
        Assert.That(Refused(machine, good[..(good.Length / 2)]), Is.EqualTo(SnapshotError.Truncated));
    }

    [Test]
    public void A_machine_with_a_C_sharp_guest_is_not_saved()
    {
        using var machine = new TestMachine();
        machine.Run(_ => { });
        Assert.That(() => machine.Machine.Save(Stream.Null), Throws.TypeOf<SnapshotException>().With.Property("Error").EqualTo(SnapshotError.ManagedGuest));
    }

    /// <summary>The boot vCPU works under a timer, after it started the others, which count rounds with locked instructions.</summary>
    private CodeMachine Working(int cpus)
    {
        const ulong Others = 0x13_0000;
        var machine = new CodeMachine(
            tier,
            a =>
            {
                CodeMachineTests.EnableTimer(a, 1237);
                if (cpus > 1)
                {
                    CodeMachineTests.Wrmsr(a, Msr.X2ApicIcr, 0xc4500);
                    CodeMachineTests.Wrmsr(a, Msr.X2ApicIcr, 0xc4600 | (uint)(RealModeToLongMode.Page >> 12));
                }

                a.sti();
                CodeMachineTests.Busy(a);
            },
            cpus);
        machine.Handler(0x40, 0x12_0000, CountTick);
        machine.Machine.Memory.Write(Others, CodeMachine.Assemble(
            a =>
            {
                Label loop = a.CreateLabel();
                a.Label(ref loop);
                a.@lock.inc(__qword_ptr[(int)CodeMachine.Data + 0x3ff8]);
                a.pause();
                a.jmp(loop);
            },
            Others));
        machine.Machine.Memory.Write(RealModeToLongMode.Page, RealModeToLongMode.Code(Others));
        return machine;
    }

    private static void CountTick(Assembler a)
    {
        a.push(rax);
        a.push(rcx);
        a.push(rdx);
        a.inc(__qword_ptr[(int)CodeMachine.Data]);
        CodeMachineTests.Wrmsr(a, Msr.X2ApicEoi, 0);
        a.pop(rdx);
        a.pop(rcx);
        a.pop(rax);
        a.iretq();
    }

    private static byte[] Saved(CodeMachine machine)
    {
        using var stream = new MemoryStream();
        machine.Machine.Save(stream);
        return stream.ToArray();
    }

    private static SnapshotError Refused(CodeMachine machine, byte[] stream)
    {
        try
        {
            machine.Machine.Restore(new MemoryStream(stream));
        }
        catch (SnapshotException exception)
        {
            Assert.That(exception.Message, Does.EndWith(".").And.Not.Contain("\n"));
            return exception.Error;
        }

        Assert.Fail("The stream was restored.");
        return default;
    }

    private static Span<byte> Bytes(CpuState* cpu, string field)
    {
        int offset = (int)Marshal.OffsetOf<CpuState>(field);
        int next = typeof(CpuState).GetFields().Select(one => (int)Marshal.OffsetOf<CpuState>(one.Name)).Where(one => one > offset).DefaultIfEmpty(sizeof(CpuState)).Min();
        return new Span<byte>((byte*)cpu + offset, next - offset);
    }

    /// <summary>The field's bytes; for a structure, the bytes of its fields, so that padding does not count.</summary>
    private static byte[] Values(CpuState* cpu, System.Reflection.FieldInfo field)
    {
        ReadOnlySpan<byte> bytes = Bytes(cpu, field.Name);
        var values = new List<byte>();
        Add(field.FieldType, bytes, values);
        return [.. values];
    }

    private static void Add(Type type, ReadOnlySpan<byte> bytes, List<byte> values)
    {
        bool structure = type.IsValueType && !type.IsPrimitive && !type.IsEnum && !type.Name.Contains("FixedBuffer", StringComparison.Ordinal);
        int size = structure || type.IsPrimitive || type.IsEnum ? Marshal.SizeOf(type.IsEnum ? type.GetEnumUnderlyingType() : type) : bytes.Length;
        if (!structure)
        {
            values.AddRange(bytes[..Math.Min(size, bytes.Length)]);
            return;
        }

        foreach (System.Reflection.FieldInfo part in type.GetFields())
        {
            int offset = (int)Marshal.OffsetOf(type, part.Name);
            int partSize = Marshal.SizeOf(part.FieldType);
            Add(part.FieldType, bytes.Slice(offset, partSize), values);
        }
    }
}
