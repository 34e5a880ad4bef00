using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Engine.PatchedCalls.Loaded;
using Decoder = Iced.Intel.Decoder;
using Instruction = Iced.Intel.Instruction;

namespace PvPatch.Engine.Tests.PatchedCalls.Loaded;

internal sealed class CompiledCodeTests
{
    [Test]
    public void Every_address_that_an_instruction_names_is_found_and_hardly_one_that_bytes_only_seem_to_name()
    {
        var named = new List<(nint Method, nint Address)>();
        var seeming = new HashSet<nint>();
        foreach (MethodBase method in CompiledMethods())
        {
            if (NativeCode.Of(method, MemoryMap.Read()) is not { } code)
                continue;
            nint[] addresses = [.. AddressesIn(code)];
            named.AddRange(addresses.Select(a => (method.MethodHandle.Value, a)));
            seeming.UnionWith(EndsIn(code));
        }

        seeming.ExceptWith(named.Select(n => n.Address));
        var compiled = new CompiledCode([.. named.Select(n => n.Address).Concat(seeming).Distinct()], Emitted());

        TestContext.Out.WriteLine($"{named.Count} addresses named, {seeming.Count} others");
        Assert.That(named, Has.Count.GreaterThan(1000));
        Assert.That(named.Where(n => !compiled.MentionsOf(n.Address).Exists(m => m.Method == n.Method)), Is.Empty);
        Assert.That(seeming.Count(a => compiled.MentionsOf(a).Count > 0), Is.LessThan(seeming.Count / 10));
    }

    private static IEnumerable<MethodBase> CompiledMethods()
    {
        const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;
        foreach (MethodInfo method in typeof(CompiledCodeTests).Assembly.GetTypes().Where(t => !t.ContainsGenericParameters).SelectMany(t => t.GetMethods(Own)))
        {
            if (method.ContainsGenericParameters || method.GetMethodBody() is null)
                continue;
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
            yield return method;
        }
    }

    /// <summary>The addresses that the instructions name, as another decoder sees it.</summary>
    private static IEnumerable<nint> AddressesIn(NativeCode code)
    {
        foreach (Instruction instruction in Decoded(code))
        {
            if (instruction.IsIPRelativeMemoryOperand)
                yield return (nint)instruction.IPRelativeMemoryAddress;
            else if (instruction.Code == Code.Mov_r64_imm64)
                yield return (nint)instruction.Immediate64;
        }
    }

    private static List<Instruction> Decoded(NativeCode code)
    {
        var decoder = Decoder.Create(64, Bytes(code), (ulong)code.Start);
        var all = new List<Instruction>();
        while (decoder.IP < (ulong)(code.Start + code.Length))
            all.Add(decoder.Decode());
        return all;
    }

    /// <summary>What any four bytes would name as a distance.</summary>
    private static IEnumerable<nint> EndsIn(NativeCode code)
    {
        byte[] bytes = Bytes(code);
        for (int at = 0; at + sizeof(int) <= bytes.Length; at++)
            yield return code.Start + at + sizeof(int) + BitConverter.ToInt32(bytes, at);
    }

    private static byte[] Bytes(NativeCode code)
    {
        byte[] bytes = new byte[code.Length];
        Marshal.Copy(code.Start, bytes, 0, bytes.Length);
        return bytes;
    }

    private static DynamicMethod Emitted()
    {
        var method = new DynamicMethod("known", typeof(void), []);
        method.GetILGenerator().Emit(OpCodes.Ret);
        method.CreateDelegate<Action>()();
        return method;
    }
}
