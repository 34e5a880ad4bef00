using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>What a method's entry tells: the stub that every call without inlining goes through, and the data slot that it jumps by.</summary>
/// <remarks>
/// On x86-64 the stub is <c>jmp [rip+slot]</c>; until the method is compiled the slot leads to the instruction behind the
/// jump, which calls the compiler (dotnet/runtime, src/coreclr/vm/precode.h, <c>FixupPrecode</c>). Read only: what is not
/// exactly of that shape is "cannot be told". One thing it cannot show: when the runtime begins to count the calls of methods
/// of the first tier, and when it frees the stubs that count, it leaves methods as if uncompiled until their next call
/// (tieredcompilation.cpp, callcounting.cpp). <see cref="CompiledCode"/> shows their code.
/// </remarks>
internal static unsafe class MethodEntry
{
    private const int JumpLength = 6, CountLength = 12, LongestChain = 4;

    private static readonly ConditionalWeakTable<MethodBase, StrongBox<nint>> StructEntries = [];

    /// <summary>Whether a method has been compiled; <see langword="null"/> where its entry cannot tell.</summary>
    public static bool? IsCompiled(MethodBase method)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || method.ContainsGenericParameters)
            return null;
        nint code = EntryOf(method);
        for (int step = 0; step < LongestChain; step++)
        {
            nint* slot = SlotAt(code);
            if (slot is null)
                return step == 0 || IsLoadOfMethod(code) ? null : true;
            nint target = Volatile.Read(ref *slot);
            if (target == code + JumpLength)
                return false;
            code = target;
        }

        return null;
    }

    /// <summary>Address of the code that a call of a compiled method runs, past the stubs that jump and that count calls; 0 where it cannot be told.</summary>
    public static nint CodeOf(MethodBase method)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || method.ContainsGenericParameters)
            return 0;
        nint code = EntryOf(method);
        for (int step = 0; step < LongestChain; step++)
        {
            nint* slot = SlotAt(code + (IsCount(code) ? CountLength : 0));
            if (slot is null)
                return IsLoadOfMethod(code) ? 0 : code;
            code = Volatile.Read(ref *slot);
        }

        return 0;
    }

    /// <summary>The data slot of a method's entry; <see langword="null"/> if the entry is no such stub.</summary>
    /// <param name="method">The method.</param>
    /// <param name="behind">Where the stub goes on to call the compiler or, if that is done, to fetch the method's code.</param>
    public static nint* SlotOf(MethodBase method, out nint behind)
    {
        nint code = EntryOf(method);
        behind = code + JumpLength;
        nint* slot = SlotAt(code);
        return slot is not null && IsLoadOfMethod(behind) ? slot : null;
    }

    /// <summary>Whether the code counts a call down before it jumps (callcountingstub).</summary>
    private static bool IsCount(nint code)
    {
        // SAFETY: the address is that of a method's entry or of what its stub jumps to: code, of more than twelve bytes.
        return (*(uint*)code & 0xFFFFFF) == 0x058B48 && *(uint*)(code + 7) == 0x7408FF66; // mov rax, [rip+disp32]; dec word [rax]; je
    }

    /// <summary>
    /// Address of a method's entry. A struct's virtual method has two: reflection knows the one for boxed structs, which goes
    /// on to the other; calls that know the struct, as those of an async method's builder do, begin at the other.
    /// </summary>
    private static nint EntryOf(MethodBase method)
    {
        if (method is not MethodInfo { IsVirtual: true, DeclaringType.IsValueType: true } own)
            return method.MethodHandle.GetFunctionPointer();
        return StructEntries.GetValue(own, static m => new StrongBox<nint>(EntryByItsOwnName((MethodInfo)m))).Value;
    }

    private static nint EntryByItsOwnName(MethodInfo method)
    {
        var entry = new DynamicMethod($"entry of {method.Name}", typeof(nint), [], method.Module, skipVisibility: true);
        ILGenerator il = entry.GetILGenerator();
        il.Emit(OpCodes.Ldftn, method);
        il.Emit(OpCodes.Ret);
        return entry.CreateDelegate<Func<nint>>()();
    }

    /// <summary>Whether the code loads the runtime's number of a method, as stubs do on their way to the compiler.</summary>
    private static bool IsLoadOfMethod(nint code)
    {
        // SAFETY: the address is that of a method's entry or of what its stub jumps to: code, of more than ten bytes.
        return (*(uint*)code & 0xFFFFFF) == 0x158B4C; // mov r10, [rip+disp32]
    }

    /// <summary>The data slot of the stub at an address; <see langword="null"/> if no such stub is there.</summary>
    private static nint* SlotAt(nint code)
    {
        // SAFETY: the address is that of a method's entry or of what its stub jumps to: code, of more than six bytes.
        return *(ushort*)code == 0x25FF // jmp [rip+disp32]
            ? (nint*)(code + JumpLength + *(int*)(code + 2))
            : null;
    }
}
