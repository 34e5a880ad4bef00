namespace PvPatch.Engine.Ops;

/// <summary>
/// The three kinds of pv_ops of Linux's <c>Documentation/virt/paravirt_ops.rst</c>. They are flags because one slot may
/// be reached in more than one way: <c>irq.save_fl</c> is called from C and from hand-written entry code.
/// </summary>
[Flags]
public enum PvOpClass
{
    /// <summary>Class 1: a simple indirect call. Its sites always go through the slot: set-up work, where cost is of no matter.</summary>
    SimpleIndirectCall = 1,

    /// <summary>Class 2: an indirect call that is patched at boot into what the slot then holds.</summary>
    PatchedCall = 2,

    /// <summary>Class 3: a macro for hand-written assembly, which emits a marked site.</summary>
    AssemblyMacro = 4,
}
