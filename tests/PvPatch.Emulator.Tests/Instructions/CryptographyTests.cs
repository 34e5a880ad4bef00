using System.Buffers.Binary;
using System.Security.Cryptography;
using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>AES and SHA as programs use them must give what the runtime's library gives: a judge that does not need a host with these instructions.</summary>
public sealed unsafe class CryptographyTests
{
    private const int Words = 0x400;
    private const int Constants = 0x800;
    private const int Keys = 0x400;

    [Test]
    public void Sha256_instructions_hash_as_the_library([Range(0, 55, 5)] int length)
    {
        byte[] message = Message(length);
        using var machine = new CodeMachine(Sha256);
        uint[] initial = Enumerable.Range(0, 8).Select(i => FractionBits(Math.Sqrt(Prime(i)))).ToArray();
        for (int i = 0; i < 8; i++)
            Set(machine, 4 * Array.IndexOf((int[])[5, 4, 1, 0, 7, 6, 3, 2], i), initial[i]);
        for (int i = 0; i < 64; i++)
            Set(machine, Constants + (4 * i), FractionBits(Math.Cbrt(Prime(i))));
        byte[] block = Padded(message);
        for (int i = 0; i < 16; i++)
            Set(machine, Words + (4 * i), BinaryPrimitives.ReadUInt32BigEndian(block.AsSpan(4 * i)));
        Finish(machine);
        byte[] hash = new byte[32];
        for (int i = 0; i < 8; i++)
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(4 * i), Get(machine, 4 * Array.IndexOf((int[])[5, 4, 1, 0, 7, 6, 3, 2], i)));
        Assert.That(hash, Is.EqualTo(SHA256.HashData(message)));
    }

    [Test]
    public void Sha1_instructions_hash_as_the_library([Range(0, 55, 5)] int length)
    {
        byte[] message = Message(length);
        using var machine = new CodeMachine(Sha1);
        uint[] initial = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        for (int i = 0; i < 4; i++)
            Set(machine, 4 * (3 - i), initial[i]);
        Set(machine, 16 + 12, initial[4]);
        byte[] block = Padded(message);
        for (int i = 0; i < 16; i++)
            Set(machine, Words + (4 * (i ^ 3)), BinaryPrimitives.ReadUInt32BigEndian(block.AsSpan(4 * i)));
        Finish(machine);
        byte[] hash = new byte[20];
        for (int i = 0; i < 4; i++)
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(4 * i), Get(machine, 4 * (3 - i)));
        BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(16), Get(machine, 16 + 12));
#pragma warning disable CA5350 // The instructions are for this hash.
        Assert.That(hash, Is.EqualTo(SHA1.HashData(message)));
#pragma warning restore CA5350
    }

    [Test]
    public void Aes_instructions_encrypt_and_decrypt_as_the_library([Range(1, 8)] int seed)
    {
        var random = new Random(seed);
        byte[] key = new byte[16];
        byte[] text = new byte[16];
        random.NextBytes(key);
        random.NextBytes(text);
        using var library = Aes.Create();
        library.Key = key;
        byte[] expected = library.EncryptEcb(text, PaddingMode.None);

        using var machine = new CodeMachine(AesBothWays);
        key.CopyTo(new Span<byte>(machine.Cpu->Ram + CodeMachine.Data, 16));
        text.CopyTo(new Span<byte>(machine.Cpu->Ram + CodeMachine.Data + 16, 16));
        Finish(machine);
        Assert.That(new Span<byte>(machine.Cpu->Ram + CodeMachine.Data + 32, 16).ToArray(), Is.EqualTo(expected));
        Assert.That(new Span<byte>(machine.Cpu->Ram + CodeMachine.Data + 48, 16).ToArray(), Is.EqualTo(text));
    }

    /// <summary>One block: ABEF and CDGH at the start of the data, then words and constants.</summary>
    private static void Sha256(Assembler a)
    {
        a.mov(rbx, CodeMachine.Data);
        a.movdqa(xmm1, __[rbx]);
        a.movdqa(xmm2, __[rbx + 16]);
        for (int group = 0; group < 16; group++)
        {
            int place = Words + (16 * group);
            if (group >= 4)
            {
                a.movdqa(xmm3, __[rbx + place - 64]);
                a.sha256msg1(xmm3, __[rbx + place - 48]);
                a.movdqa(xmm4, __[rbx + place - 16]);
                a.palignr(xmm4, __[rbx + place - 32], 4);
                a.paddd(xmm3, xmm4);
                a.sha256msg2(xmm3, __[rbx + place - 16]);
                a.movdqa(__[rbx + place], xmm3);
            }

            a.movdqa(xmm0, __[rbx + place]);
            a.paddd(xmm0, __[rbx + Constants + (16 * group)]);
            a.sha256rnds2(xmm2, xmm1);
            a.pshufd(xmm0, xmm0, 0x0e);
            a.sha256rnds2(xmm1, xmm2);
        }

        a.paddd(xmm1, __[rbx]);
        a.paddd(xmm2, __[rbx + 16]);
        a.movdqa(__[rbx], xmm1);
        a.movdqa(__[rbx + 16], xmm2);
        a.hlt();
    }

    /// <summary>One block: ABCD and E at the start of the data, each with its first word on top, then words likewise.</summary>
    private static void Sha1(Assembler a)
    {
        a.mov(rbx, CodeMachine.Data);
        a.movdqa(xmm1, __[rbx]);
        for (int group = 0; group < 20; group++)
        {
            int place = Words + (16 * group);
            if (group >= 4)
            {
                a.movdqa(xmm3, __[rbx + place - 64]);
                a.sha1msg1(xmm3, __[rbx + place - 48]);
                a.pxor(xmm3, __[rbx + place - 32]);
                a.sha1msg2(xmm3, __[rbx + place - 16]);
                a.movdqa(__[rbx + place], xmm3);
            }

            if (group == 0)
            {
                a.movdqa(xmm2, __[rbx + 16]);
                a.paddd(xmm2, __[rbx + place]);
            }
            else
            {
                a.movdqa(xmm2, xmm4);
                a.sha1nexte(xmm2, __[rbx + place]);
            }

            a.movdqa(xmm4, xmm1);
            a.sha1rnds4(xmm1, xmm2, (byte)(group / 5));
        }

        a.sha1nexte(xmm4, __[rbx + 16]);
        a.paddd(xmm1, __[rbx]);
        a.movdqa(__[rbx], xmm1);
        a.movdqa(__[rbx + 16], xmm4);
        a.hlt();
    }

    /// <summary>The key and a block at the start of the data, then the block encrypted, and that decrypted.</summary>
    private static void AesBothWays(Assembler a)
    {
        a.mov(rbx, CodeMachine.Data);
        a.movdqa(xmm1, __[rbx]);
        a.movdqa(__[rbx + Keys], xmm1);
        byte roundConstant = 1;
        for (int round = 1; round <= 10; round++)
        {
            a.aeskeygenassist(xmm2, xmm1, roundConstant);
            a.pshufd(xmm2, xmm2, 0xff);
            for (int i = 0; i < 3; i++)
            {
                a.movdqa(xmm3, xmm1);
                a.pslldq(xmm3, 4);
                a.pxor(xmm1, xmm3);
            }

            a.pxor(xmm1, xmm2);
            a.movdqa(__[rbx + Keys + (16 * round)], xmm1);
            roundConstant = (byte)(roundConstant == 0x80 ? 0x1b : roundConstant << 1);
        }

        a.movdqa(xmm5, __[rbx + 16]);
        a.pxor(xmm5, __[rbx + Keys]);
        for (int round = 1; round < 10; round++)
            a.aesenc(xmm5, __[rbx + Keys + (16 * round)]);
        a.aesenclast(xmm5, __[rbx + Keys + 160]);
        a.movdqa(__[rbx + 32], xmm5);

        a.pxor(xmm5, __[rbx + Keys + 160]);
        for (int round = 9; round > 0; round--)
        {
            a.aesimc(xmm6, __[rbx + Keys + (16 * round)]);
            a.aesdec(xmm5, xmm6);
        }

        a.aesdeclast(xmm5, __[rbx + Keys]);
        a.movdqa(__[rbx + 48], xmm5);
        a.hlt();
    }

    private static void Finish(CodeMachine machine) => Assert.That(machine.Run(), Is.InstanceOf<MachineExit.Halted>());

    private static void Set(CodeMachine machine, int place, uint value) => machine.Machine.Memory.Write(CodeMachine.Data + (ulong)place, value);

    private static uint Get(CodeMachine machine, int place) => machine.Machine.Memory.Read<uint>(CodeMachine.Data + (ulong)place);

    private static byte[] Message(int length)
    {
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        return message;
    }

    /// <summary>FIPS 180-4, 5.1.1.</summary>
    private static byte[] Padded(byte[] message)
    {
        byte[] block = new byte[64];
        message.CopyTo(block, 0);
        block[message.Length] = 0x80;
        BinaryPrimitives.WriteUInt64BigEndian(block.AsSpan(56), (ulong)message.Length * 8);
        return block;
    }

    /// <summary>FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits behind the point.</summary>
    private static uint FractionBits(double value) => (uint)((value - Math.Floor(value)) * 4294967296.0);

    private static int Prime(int index)
    {
        int candidate = 1;
        for (int found = -1; found < index;)
        {
            candidate++;
            if (Enumerable.Range(2, candidate - 2).All(divisor => candidate % divisor != 0))
                found++;
        }

        return candidate;
    }
}
