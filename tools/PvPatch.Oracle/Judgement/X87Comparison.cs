using System.Text;
using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Judgement;

/// <summary>Compares the x87 of the host and of the emulator.</summary>
internal static class X87Comparison
{
    private const int C1 = 0x200;
    private const int Inexact = 0x20;
    private const int Underflow = 0x10;
    private const int Pending = 0x8080;

    /// <summary>
    /// Instructions whose results may differ in the last bit between processors (Intel SDM vol. 1, 8.3.10), with what follows from
    /// that bit: the direction of rounding, and where a tiny result is not exact, its underflow.
    /// </summary>
    private static bool IsTranscendental(in Instruction instruction) => instruction.Mnemonic is
        Mnemonic.F2xm1 or Mnemonic.Fyl2x or Mnemonic.Fyl2xp1 or Mnemonic.Fpatan or Mnemonic.Fptan or
        Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos;

    /// <summary>
    /// Whether the manual leaves the result open (Intel SDM vol. 2): F2XM1 beyond -1 and 1, FYL2XP1 beyond -(1 - sqrt(1/2)) and
    /// sqrt(2) - 1.
    /// </summary>
    public static bool IsUndefined(in Instruction instruction, MachineCase given)
    {
        int high = X87Image.High(given.Fpu, 0);
        int exponent = high & 0x7fff;
        ulong mantissa = X87Image.Mantissa(given.Fpu, 0);
        if (exponent == 0x7fff && mantissa << 1 != 0)
            return false;
        return instruction.Mnemonic switch
        {
            Mnemonic.F2xm1 => exponent > 0x3fff || (exponent == 0x3fff && mantissa << 1 != 0),
            Mnemonic.Fyl2xp1 => exponent > 0x3ffd || (exponent == 0x3ffd && mantissa > (high > 0x7fff ? 0x95f6_1998_0c43_36f7 : 0xd413_cccf_e779_9211)),
            _ => false,
        };
    }

    /// <summary>FCOMI and its kind clear C1 (Intel SDM vol. 2, FCOMI); AMD's processors leave it as it was.</summary>
    private static bool LeavesC1(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Fcomi or Mnemonic.Fcomip or Mnemonic.Fucomi or Mnemonic.Fucomip;

    /// <summary>
    /// Makes the pointers in a stored environment equal: the host's are not those of the case, because restoring a state without a
    /// waiting exception leaves them as they are (AMD APM vol. 2, 11.4.4).
    /// </summary>
    public static void HidePointers(MachineCase given, in Instruction instruction, MachineCase host, MachineCase emulated)
    {
        (int first, int last) = instruction.Code switch
        {
            Code.Fnstenv_m14byte or Code.Fnsave_m94byte => (6, 14),
            Code.Fnstenv_m28byte or Code.Fnsave_m108byte => (12, 26),

            // Also what the mask of MXCSR tells of the processor.
            _ when StateImage.IsSaved(instruction) => (6, 32),
            _ => (0, 0),
        };
        if (last == 0 || host.Vector != 3 || emulated.Vector != 3)
            return;
        ulong address = CaseAddresses.Effective(instruction, given);
        for (int i = 0; i < CaseLayout.Windows.Length; i++)
        {
            CaseLayout.Window window = CaseLayout.Windows[i];
            for (ulong at = address + (ulong)first; at < address + (ulong)last; at++)
            {
                if (at >= window.Address && at < window.Address + (ulong)window.Size)
                    emulated.Memory[i][at - window.Address] = host.Memory[i][at - window.Address];
            }
        }
    }

    /// <summary>Appends the differences.</summary>
    public static void Append(StringBuilder text, in Instruction instruction, byte[] given, byte[] host, byte[] emulated)
    {
        bool loose = IsTranscendental(instruction);
        int start = text.Length;
        if (X87Image.Control(host) != X87Image.Control(emulated))
            text.Append($" control word {X87Image.Control(host):x4} but {X87Image.Control(emulated):x4};");
        int status = X87Image.Status(host) ^ X87Image.Status(emulated);
        if (loose)
            status &= (status & Inexact) != 0 ? ~(C1 | Inexact | Underflow | Pending) : ~C1;
        if (LeavesC1(instruction))
            status &= ~C1;
        if (status != 0)
            text.Append($" status word {X87Image.Status(host):x4} but {X87Image.Status(emulated):x4};");
        if (X87Image.Used(host) != X87Image.Used(emulated))
            text.Append($" tags {X87Image.Used(host):x2} but {X87Image.Used(emulated):x2};");
        for (int i = 0; i < 8; i++)
        {
            UInt128 a = Ordered(host, i);
            UInt128 b = Ordered(emulated, i);
            UInt128 distance = a > b ? a - b : b - a;
            bool same = X87Image.High(host, i) == X87Image.High(emulated, i) && X87Image.Mantissa(host, i) == X87Image.Mantissa(emulated, i);
            if (!same && (!loose || distance > 1))
                text.Append($" ST{i} {X87Image.High(host, i):x4}.{X87Image.Mantissa(host, i):x16} but {X87Image.High(emulated, i):x4}.{X87Image.Mantissa(emulated, i):x16};");
        }

        if (text.Length == start)
            return;
        text.Append($" given control {X87Image.Control(given):x4}, status {X87Image.Status(given):x4}, tags {X87Image.Used(given):x2},");
        for (int i = 0; i < 8; i++)
            text.Append($" {X87Image.High(given, i):x4}.{X87Image.Mantissa(given, i):x16}");
        text.Append(';');
    }

    /// <summary>A register as a number whose neighbours are one apart; the signs stay far from each other.</summary>
    private static UInt128 Ordered(byte[] image, int place)
    {
        ulong mantissa = X87Image.Mantissa(image, place);
        int high = X87Image.High(image, place);
        int exponent = high & 0x7fff;

        return ((UInt128)(uint)(high >> 15) << 100) + ((UInt128)(uint)(Math.Max(exponent, 1) - 1) << 63) + mantissa;
    }
}
