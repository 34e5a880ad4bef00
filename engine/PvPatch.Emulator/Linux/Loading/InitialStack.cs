using System.Buffers.Binary;
using System.Text;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;

namespace PvPatch.Emulator.Linux.Loading;

/// <summary>What a program finds on its stack: arguments, environment, auxiliary vector (System V ABI, AMD64 supplement, 3.4.1).</summary>
internal static class InitialStack
{
    private const int RandomBytes = 16;
    private const ulong ClockTicksPerSecond = 100;

    /// <summary>What sigaltstack(2) asks for at least; a frame with all state components needs less.</summary>
    private const ulong MinimumSignalStack = 2048;

    /// <summary>Fills the stack; RSP at the program's start.</summary>
    /// <param name="space">The address space, with its stack mapped.</param>
    /// <param name="image">The program.</param>
    /// <param name="slide">How far it was moved.</param>
    /// <param name="start">Its file, arguments and environment.</param>
    /// <param name="owner">The user's and the group's number.</param>
    /// <exception cref="ElfException">They do not fit.</exception>
    public static ulong Fill(AddressSpace space, ElfImage image, ulong slide, ProgramStart start, (uint User, uint Group) owner)
    {
        byte[][] arguments = Terminated(start.Arguments);
        byte[][] environment = Terminated(start.Environment);
        byte[] path = Terminated(start.Path);
        byte[] platform = Terminated("x86_64");
        ulong size = SizeOf(arguments) + SizeOf(environment) + (ulong)path.Length;
        if (size > AddressSpace.StackSize / 4)
            throw new ElfException(ElfError.NoRoom, $"its arguments and environment, {size} bytes, are more than a quarter of its stack");

        ulong place = AddressSpace.End - 8;
        ulong pathAt = Push(space, ref place, path);
        byte[] random = new byte[RandomBytes];
        new Random().NextBytes(random); // for canaries: a library of cryptography takes longer to load than this program
        ulong platformAt = Push(space, ref place, platform);
        ulong randomAt = Push(space, ref place, random);
        ulong[] environmentAt = PushAll(space, ref place, environment);
        ulong[] argumentsAt = PushAll(space, ref place, arguments);
        ulong[] auxiliary =
        [
            3, image.ProgramHeaders == 0 ? 0 : image.ProgramHeaders + slide,     // AT_PHDR
            4, ElfImage.ProgramHeaderSize,                                       // AT_PHENT
            5, (ulong)image.ProgramHeaderCount,                                  // AT_PHNUM
            6, AddressSpace.PageSize,                                            // AT_PAGESZ
            7, 0,                                                                // AT_BASE: no interpreter
            8, 0,                                                                // AT_FLAGS
            9, image.Entry + slide,                                              // AT_ENTRY
            11, owner.User,                                              // AT_UID
            12, owner.User,                                              // AT_EUID
            13, owner.Group,                                             // AT_GID
            14, owner.Group,                                             // AT_EGID
            15, platformAt,                                                      // AT_PLATFORM
            16, UserCpuid.HardwareCapabilities,                                  // AT_HWCAP
            17, ClockTicksPerSecond,                                             // AT_CLKTCK
            23, 0,                                                               // AT_SECURE
            25, randomAt,                                                        // AT_RANDOM
            26, 0,                                                               // AT_HWCAP2
            31, pathAt,                                                          // AT_EXECFN
            51, MinimumSignalStack,                                              // AT_MINSIGSTKSZ
            0, 0,
        ];
        ulong[] words = new ulong[argumentsAt.Length + environmentAt.Length + auxiliary.Length + 3]; // the count, and zeros that end both lists
        words[0] = (ulong)argumentsAt.Length;
        Array.Copy(argumentsAt, 0, words, 1, argumentsAt.Length);
        Array.Copy(environmentAt, 0, words, argumentsAt.Length + 2, environmentAt.Length);
        Array.Copy(auxiliary, 0, words, words.Length - auxiliary.Length, auxiliary.Length);
        byte[] bytes = new byte[words.Length * 8];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), words[i]);
        place = (place - (ulong)bytes.Length) & ~15ul;
        Load(space, place, bytes);
        return place;
    }

    private static ulong SizeOf(byte[][] texts)
    {
        ulong size = 0;
        foreach (byte[] text in texts)
            size += (ulong)text.LongLength + 8;
        return size;
    }

    private static ulong[] PushAll(AddressSpace space, ref ulong place, byte[][] texts)
    {
        ulong[] places = new ulong[texts.Length];
        for (int i = 0; i < texts.Length; i++)
            places[i] = Push(space, ref place, texts[i]);
        return places;
    }

    private static byte[][] Terminated(IReadOnlyList<string> texts)
    {
        byte[][] terminated = new byte[texts.Count][];
        for (int i = 0; i < texts.Count; i++)
            terminated[i] = Terminated(texts[i]);
        return terminated;
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + "\0");

    private static ulong Push(AddressSpace space, ref ulong place, byte[] bytes)
    {
        place -= (ulong)bytes.Length;
        Load(space, place, bytes);
        return place;
    }

    private static void Load(AddressSpace space, ulong place, byte[] bytes)
    {
        if (!space.TryLoad(place, bytes))
            throw new ElfException(ElfError.NoRoom, "its arguments and environment do not fit into its memory");
    }
}
