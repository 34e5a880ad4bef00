using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.Instructions;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// MXCSR in a region with floating-point instructions: the host's register holds what the guest's does, from where the region is entered to where it is
/// left, but while something is called. A local says whether it does. (To wait for the first of these instructions would put a call among
/// vectors that are in use, which cost more than it saved.)
/// </summary>
internal sealed class FloatControl(RegionIl il)
{
    private static bool _isPrepared;

    private readonly LocalBuilder _isOnHost = il.NarrowLocal();
    private bool _isUsed;
    private bool _isSuspended;
    private bool _isChecked;

    /// <summary>When the region is entered.</summary>
    /// <param name="isUsed">Whether it has floating-point instructions.</param>
    public void Begin(bool isUsed)
    {
        _isUsed = isUsed;
        if (isUsed && !_isPrepared)
            Prepare();
        Enter();
    }

    /// <summary>A block begins, to which control may come from several places.</summary>
    public void Forget() => _isChecked = false;

    /// <summary>Before a floating-point instruction: the interpreter executes it if its exceptions are not masked.</summary>
    public void Check(SideExits exits)
    {
        if (_isChecked)
            return;
        _isChecked = true;
        il.Load(_isOnHost);
        il.Branch(OpCodes.Brfalse, exits.Before(ExitReason.Instruction));
    }

    /// <summary>Takes the guest's register back for calls that are written until <see cref="Resume"/>.</summary>
    public void Suspend()
    {
        Leave();
        _isSuspended = true;
    }

    /// <summary>Gives the host's register what the guest's holds now, and whose exceptions may not be masked any more.</summary>
    public void Resume()
    {
        _isSuspended = false;
        _isChecked = false;
        Enter();
    }

    /// <summary>Gives the host's register what the guest's holds.</summary>
    public void Enter()
    {
        if (!_isUsed || _isSuspended)
            return;
        il.Op(OpCodes.Ldarg_0);
        il.Emit(Method(nameof(HostMxcsr.Enter)));
        il.Store(_isOnHost);
    }

    /// <summary>Takes the guest's register back, before something is called or the region is left.</summary>
    public void Leave()
    {
        if (!_isUsed || _isSuspended)
            return;
        Label behind = il.Label();
        il.Load(_isOnHost);
        il.Branch(OpCodes.Brfalse, behind);
        il.Op(OpCodes.Ldarg_0);
        il.Emit(Method(nameof(HostMxcsr.Leave)));
        il.Small(0);
        il.Store(_isOnHost);
        il.Mark(behind);
    }

    /// <summary>Has both methods compiled now: between the first calls of the one and of the other the runtime's compiler would raise exceptions of its own.</summary>
    private static void Prepare()
    {
        RuntimeHelpers.RunClassConstructor(typeof(HostMxcsr).TypeHandle);
        RuntimeHelpers.PrepareMethod(Method(nameof(HostMxcsr.Enter)).MethodHandle);
        RuntimeHelpers.PrepareMethod(Method(nameof(HostMxcsr.Leave)).MethodHandle);
        _isPrepared = true;
    }

    private static MethodInfo Method(string name) => typeof(HostMxcsr).GetMethod(name)!;
}
