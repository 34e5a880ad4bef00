using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;

namespace PvPatch.Engine.RuntimeEvents;

/// <summary>
/// An empty method, compiled at a known time to be seen in the events. It tells what they do not say otherwise: how their
/// times relate to ours, that all earlier ones have come, and by which number the runtime knows a module.
/// </summary>
/// <param name="Name">A name that no other method has.</param>
/// <param name="Before">A <see cref="Stopwatch"/> reading before it was compiled.</param>
/// <param name="After">One after it.</param>
internal readonly record struct Marker(string Name, long Before, long After)
{
    /// <summary>Compiles a marker.</summary>
    /// <param name="owner">The module that the runtime enters it in.</param>
    public static Marker In(Module owner)
    {
        string name = $"marker {Guid.NewGuid():N}";
        var method = new DynamicMethod(name, typeof(void), [], owner, skipVisibility: true);
        method.GetILGenerator().Emit(OpCodes.Ret);
        Action call = method.CreateDelegate<Action>();
        long before = Stopwatch.GetTimestamp();
        call(); // which compiles it
        return new Marker(name, before, Stopwatch.GetTimestamp());
    }
}
