using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>FMA does what the host's instruction does, with all exceptions masked: results, NaNs too, and MXCSR.</summary>
[TestFixture(typeof(FusedAdd), "Vfmadd")]
[TestFixture(typeof(FusedSubtract), "Vfmsub")]
[TestFixture(typeof(NegatedFusedAdd), "Vfnmadd")]
[TestFixture(typeof(NegatedFusedSubtract), "Vfnmsub")]
[TestFixture(typeof(FusedAddSubtract), "Vfmaddsub")]
[TestFixture(typeof(FusedSubtractAdd), "Vfmsubadd")]
internal sealed unsafe class FusedOperationTests<TOperation>(string mnemonic)
    where TOperation : IFusedOperation
{
    private const int Cases = 10_000;

    private static bool IsAlternating => TOperation.NegatesAddend(0) != TOperation.NegatesAddend(1);

    [Test]
    public void Form_132_is_exact() => Compare<Fused132>();

    [Test]
    public void Form_213_is_exact() => Compare<Fused213>();

    [Test]
    public void Form_231_is_exact() => Compare<Fused231>();

    private void Compare<TOrder>()
        where TOrder : IFusedOrder
    {
        HostVectorInstruction.RequireFma();
        Compare<TOrder, PackedSingle, Single32>("ps", 128);
        Compare<TOrder, PackedDouble, Double64>("pd", 128);
        if (IsAlternating)
            return;
        Compare<TOrder, ScalarSingle, Single32>("ss", 32);
        Compare<TOrder, ScalarDouble, Double64>("sd", 64);
    }

    private void Compare<TOrder, TLanes, TFormat>(string lanes, int bits)
        where TOrder : IFusedOrder
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Code code = Enum.Parse<Code>($"VEX_{mnemonic}{TOrder.Digits}{lanes}_xmm_xmm_xmmm{bits}");
        using var host = new HostVectorInstruction(Instruction.Create(code, Register.XMM0, Register.XMM1, Register.XMM2));
        var cases = new FusedCases<TFormat>((int)code);
        int onHost = 0;
        for (int i = 0; i < Cases; i++)
        {
            (Vector128<byte> first, Vector128<byte> second, Vector128<byte> third) = Operands<TOrder, TLanes, TFormat>(cases);
            uint mxcsr = cases.Mxcsr();
            uint expectedMxcsr = mxcsr;
            Vector128<byte> expected = host.Run(first, second, third, ref expectedMxcsr);
            var context = new FloatContext(mxcsr);
            Vector128<byte> result = Exactly<TOrder, TLanes, TFormat>(first, second, third, ref context);
            if (result != expected || (mxcsr | context.Raised) != expectedMxcsr)
                Assert.Fail($"{code} {What()}: {Hex(result)} raised {context.Raised:x}, the host {Hex(expected)} mxcsr {expectedMxcsr:x}");

            CpuState cpu = default;
            cpu.Mxcsr = mxcsr;
            Vector128<byte> fast = OnHost<TOrder, TLanes>(&cpu, first, second, third);
            if (NativeFloat.HasNan<TLanes>(fast))
                continue;
            onHost++;
            if (fast != expected || cpu.Mxcsr != expectedMxcsr)
                Assert.Fail($"translated {code} {What()}: {Hex(fast)} mxcsr {cpu.Mxcsr:x}, the host {Hex(expected)} mxcsr {expectedMxcsr:x}");

            string What() => $"{Hex(first)} {Hex(second)} {Hex(third)} mxcsr {mxcsr:x}";
        }

        Assert.That(onHost, Is.GreaterThan(Cases / 5), "without a NaN");
    }

    private static string Hex(Vector128<byte> vector) => $"{vector.AsUInt64()[1]:x16}_{vector.AsUInt64()[0]:x16}";

    private static (Vector128<byte> First, Vector128<byte> Second, Vector128<byte> Third) Operands<TOrder, TLanes, TFormat>(FusedCases<TFormat> cases)
        where TOrder : IFusedOrder
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> first = default, second = default, third = default;
        for (int i = 0; i < 16 / TLanes.Size; i++)
        {
            (ulong x, ulong y, ulong z) = cases.Next();
            FloatShapes.SetElement(&first, TLanes.Size, i, TOrder.Digits switch { 132 => x, 213 => y, _ => z });
            FloatShapes.SetElement(&second, TLanes.Size, i, TOrder.Digits == 132 ? z : x);
            FloatShapes.SetElement(&third, TLanes.Size, i, TOrder.Digits == 213 ? z : y);
        }

        return (first, second, third);
    }

    private static Vector128<byte> Exactly<TOrder, TLanes, TFormat>(Vector128<byte> first, Vector128<byte> second, Vector128<byte> third, ref FloatContext context)
        where TOrder : IFusedOrder
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> result = first;
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong x = FloatShapes.Element(&first, TLanes.Size, i);
            ulong y = FloatShapes.Element(&second, TLanes.Size, i);
            ulong z = FloatShapes.Element(&third, TLanes.Size, i);
            FloatShapes.SetElement(&result, TLanes.Size, i, FusedOperation.Exactly<TOperation, TOrder, TFormat>(x, y, z, i, ref context));
        }

        return result;
    }

    /// <summary>As translated code does it. Nothing but the operation comes between Enter and Leave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector128<byte> OnHost<TOrder, TLanes>(CpuState* cpu, Vector128<byte> first, Vector128<byte> second, Vector128<byte> third)
        where TOrder : IFusedOrder
        where TLanes : IFloatLanes
    {
        bool isOnHost = HostMxcsr.Enter(cpu);
        Vector128<byte> result = FusedOperation.OnHost<TOperation, TOrder, TLanes>(first, second, third);
        HostMxcsr.Leave(cpu);
        return isOnHost ? result : Vector128<byte>.AllBitsSet;
    }
}
