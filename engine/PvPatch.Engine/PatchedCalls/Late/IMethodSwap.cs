using System.Reflection;
using System.Reflection.Emit;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>A method and the copy that its calls are led to.</summary>
/// <param name="Method">The method.</param>
/// <param name="Copy">The copy. It stays alive as long as the process: a thread may be in it at any time.</param>
/// <param name="Place">Address of what is changed.</param>
/// <param name="Written">What is written there.</param>
/// <param name="Undone">What is written there to undo it.</param>
internal sealed record SwappedMethod(MethodBase Method, DynamicMethod Copy, nint Place, nint Written, nint Undone)
{
    /// <summary>Whether the runtime has put its own code back meanwhile.</summary>
    public bool WasLost { get; private set; }

    /// <summary>What a report says of a method that was lost once.</summary>
    public string? History => WasLost ? $"the runtime had put its own code for {Method.Name} back for a moment; it is led to the copy again" : null;

    /// <summary>Leads the method's calls to its copy again, if the runtime has led them to code of its own.</summary>
    /// <param name="swap">What led them first.</param>
    /// <returns>Whether that was so.</returns>
    public bool LeadAgain(IMethodSwap swap)
    {
        if (swap.Holds(this))
            return false;
        WasLost = true; // before calls come to the copy again, so that no report passes over it
        swap.Lead(this);
        return true;
    }
}

/// <summary>Leads the calls of a compiled method to another one. All that the engine needs to know of how that is done.</summary>
internal interface IMethodSwap
{
    /// <summary>Why a method cannot be swapped; <see langword="null"/> if it can.</summary>
    string? RefusalOf(MethodBase method);

    /// <summary>Does everything that can fail, compiling among it, and leads no call yet.</summary>
    /// <param name="method">A method that is not refused.</param>
    /// <param name="copy">A static method of the same parameters, <see langword="this"/> first, and the same result.</param>
    SwappedMethod Prepare(MethodBase method, DynamicMethod copy);

    /// <summary>Leads the method's calls to its copy, in one step. Threads that are in other code stay there until they return.</summary>
    void Lead(SwappedMethod swapped);

    /// <summary>Whether calls still lead to the copy: the runtime may have put newer code in its place.</summary>
    bool Holds(SwappedMethod swapped);

    /// <summary>Leads calls to the code that the runtime has for the method, unless it has done so itself.</summary>
    void Undo(SwappedMethod swapped);
}
