using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Translator;

/// <summary>From the bytes of some pages to machine code of the host, a pass a line.</summary>
internal static unsafe class RegionCompiler
{
    /// <summary>Guest instructions of a region: with more the runtime's compiler stops to optimise (at some 18,000 IL instructions).</summary>
    public const int MostInstructions = 320;

    private const string HandleMethod = "GetMethodDescriptor";

    /// <summary>Whether the runtime tells the address of a method that is made while it runs. Without it there is only the interpreter.</summary>
    public static bool IsPossible { get; } = typeof(DynamicMethod).GetMethod(HandleMethod, BindingFlags.NonPublic | BindingFlags.Instance) != null;

    /// <summary>Finds what is translated together with an address; null if the interpreter must execute the instruction there.</summary>
    public static Region? Find(RegionCode code, ulong rip)
    {
        Region region = RegionFinder.Find(code, rip, MostInstructions);
        code.Close();
        if (!region.Blocks.Any(block => block.IsEntry))
            return null;
        AccessGroups.Find(region);
        FlagUse.Follow(region);
        return region;
    }

    /// <summary>Compiles a region. Only offsets into the CPU's state are taken from it, so any thread may do this.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="region">The region.</param>
    /// <param name="code">Its code.</param>
    /// <param name="sensitive">How sensitive ops are called.</param>
    /// <param name="around">What writes instead of a generator, to that one.</param>
    public static TranslatedRegion Compile(CpuState* cpu, Region region, RegionCode code, SensitiveCalls? sensitive, Func<ILGenerator, ILGenerator>? around = null)
    {
        var memory = new RegionMemory(cpu, code);
        var entries = new List<RegionBlock>();
        int count = 0;
        foreach (RegionBlock block in region.Blocks)
        {
            count += block.Instructions.Length;
            if (block.IsEntry)
                entries.Add(block);
        }

        var method = new DynamicMethod($"region_{entries[0].Start:x}", typeof(nint), [typeof(nint), typeof(nint)], typeof(RegionCompiler).Module, skipVisibility: true) { InitLocals = false };
        ILGenerator il = method.GetILGenerator();
        IReadOnlyList<PatchedSite> sites = RegionEmitter.Write(region, code, around?.Invoke(il) ?? il, memory, entries, sensitive);
        memory.Complete();
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> machineCode = Prepare(method);
        memory.Self->Handler = machineCode;
        return new TranslatedRegion(method, machineCode, memory, Addresses(entries, entries.Count, all: false), Addresses(region.Blocks, count, all: true), sites);
    }

    /// <summary>The addresses of the first or all instructions of blocks.</summary>
    private static ulong[] Addresses(IReadOnlyList<RegionBlock> blocks, int count, bool all)
    {
        ulong[] addresses = new ulong[count];
        int place = 0;
        foreach (RegionBlock block in blocks)
        {
            for (int i = 0; i < (all ? block.Instructions.Length : 1); i++)
                addresses[place++] = block.Instructions[i].IP;
        }

        return addresses;
    }

    /// <summary>Has the runtime compile a method, and gives its address.</summary>
    private static delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Prepare(DynamicMethod method)
    {
        RuntimeMethodHandle handle = HandleOf(method);
        RuntimeHelpers.PrepareMethod(handle);
        return (delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*>)handle.GetFunctionPointer();
    }

    /// <summary>The handle of a dynamic method, which the runtime has but does not offer.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = HandleMethod)]
    private static extern RuntimeMethodHandle HandleOf(DynamicMethod method);
}
