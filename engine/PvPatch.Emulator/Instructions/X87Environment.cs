using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The x87's environment in memory, with 16-bit or 32-bit fields (Intel SDM vol. 1, figures 8-9 to 8-12). The selectors of
/// instruction and operand are stored as zero, as processors do that deprecate them (vol. 1, 8.1.8); the pointers of real mode
/// then are offsets.
/// </summary>
internal unsafe interface IEnvironmentLayout
{
    static abstract int Size { get; }

    static abstract void Store(CpuState* cpu, byte* host);

    static abstract void Load(CpuState* cpu, byte* host);
}

/// <summary>The 16-bit tag word, which FpuState keeps as a bit for each register (Intel SDM vol. 1, 8.1.7).</summary>
internal static unsafe class TagWord
{
    /// <summary>Two bits for each register: valid, zero, special, empty.</summary>
    public static ushort Of(ref FpuState fpu)
    {
        int word = 0;
        for (int i = 0; i < 8; i++)
        {
            // SAFETY: the arrays have eight elements.
            var value = new Float80(fpu.Mantissa[i], fpu.Exponent[i]);
            word |= Tag((fpu.Used >> i & 1) == 0, value) << (2 * i);
        }

        return (ushort)word;
    }

    /// <summary>A bit for each register that is not empty.</summary>
    public static byte Used(ushort word)
    {
        int used = 0;
        for (int i = 0; i < 8; i++)
            used |= (word >> (2 * i) & 3) != 3 ? 1 << i : 0;
        return (byte)used;
    }

    private static int Tag(bool empty, Float80 value)
    {
        if (empty)
            return 3;
        if (value.IsZero)
            return 1;
        return value.Exponent is 0 or Float80.SpecialExponent || value.IsUnsupported ? 2 : 0;
    }
}

/// <summary>14 bytes.</summary>
internal unsafe struct Environment16 : IEnvironmentLayout
{
    public static int Size => 14;

    public static void Store(CpuState* cpu, byte* host)
    {
        ref FpuState fpu = ref cpu->Fpu;
        bool real = EnvironmentMode.IsReal(cpu);
        // SAFETY: the caller gave Size bytes. So below.
        ushort* fields = (ushort*)host;
        fields[0] = fpu.Control;
        fields[1] = fpu.Status;
        fields[2] = TagWord.Of(ref fpu);
        fields[3] = (ushort)fpu.LastInstruction;
        fields[4] = (ushort)(real ? (fpu.LastInstruction >> 4 & 0xf000) | fpu.LastOpcode : 0);
        fields[5] = (ushort)fpu.LastData;
        fields[6] = (ushort)(real ? fpu.LastData >> 4 & 0xf000 : 0);
    }

    public static void Load(CpuState* cpu, byte* host)
    {
        ref FpuState fpu = ref cpu->Fpu;
        bool real = EnvironmentMode.IsReal(cpu);
        ushort* fields = (ushort*)host;
        fpu.Used = TagWord.Used(fields[2]);
        fpu.LastInstruction = fields[3] | (real ? (ulong)(fields[4] & 0xf000) << 4 : 0);
        fpu.LastOpcode = (ushort)(real ? fields[4] & 0x7ff : 0);
        fpu.LastData = fields[5] | (real ? (ulong)(fields[6] & 0xf000) << 4 : 0);
        fpu.Status = fields[1];
        X87Control.SetControl(ref fpu, fields[0]);
    }
}

/// <summary>28 bytes.</summary>
internal unsafe struct Environment32 : IEnvironmentLayout
{
    private const uint Unused = 0xffff_0000;

    public static int Size => 28;

    public static void Store(CpuState* cpu, byte* host)
    {
        ref FpuState fpu = ref cpu->Fpu;
        uint* fields = (uint*)host;
        fields[0] = Unused | fpu.Control;
        fields[1] = Unused | fpu.Status;
        fields[2] = Unused | TagWord.Of(ref fpu);
        if (EnvironmentMode.IsReal(cpu))
        {
            fields[3] = Unused | (ushort)fpu.LastInstruction;
            fields[4] = ((uint)fpu.LastInstruction >> 16 << 12) | fpu.LastOpcode;
            fields[5] = Unused | (ushort)fpu.LastData;
            fields[6] = (uint)fpu.LastData >> 16 << 12;
            return;
        }

        fields[3] = (uint)fpu.LastInstruction;
        fields[4] = (uint)fpu.LastOpcode << 16;
        fields[5] = (uint)fpu.LastData;
        fields[6] = Unused;
    }

    public static void Load(CpuState* cpu, byte* host)
    {
        ref FpuState fpu = ref cpu->Fpu;
        uint* fields = (uint*)host;
        bool real = EnvironmentMode.IsReal(cpu);
        fpu.Used = TagWord.Used((ushort)fields[2]);
        fpu.LastInstruction = real ? (ushort)fields[3] | (fields[4] << 4 & 0xffff_0000) : fields[3];
        fpu.LastOpcode = (ushort)((real ? fields[4] : fields[4] >> 16) & 0x7ff);
        fpu.LastData = real ? (ushort)fields[5] | (fields[6] << 4 & 0xffff_0000) : fields[5];
        fpu.Status = (ushort)fields[1];
        X87Control.SetControl(ref fpu, (ushort)fields[0]);
    }
}

/// <summary>Which of the two forms of an environment a CPU uses now.</summary>
internal static unsafe class EnvironmentMode
{
    /// <summary>Real-address and virtual-8086 mode.</summary>
    public static bool IsReal(CpuState* cpu) =>
        (cpu->Cr0 & Cr0Bits.ProtectionEnable) == 0 || (cpu->RFlags & RFlags.Virtual8086) != 0;
}
