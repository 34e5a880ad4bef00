using System.Runtime;
using System.Runtime.CompilerServices;

namespace PvPatch.Perf.Measuring;

/// <summary>
/// Code that has the last form it gets. The runtime compiles hot methods anew in the background, after a pause and in the
/// order in which they became hot; on a busy machine it may not even begin for a while. So a quiet moment shows nothing:
/// here a method that becomes hot behind all others has to be seen optimised.
/// </summary>
public static class SettledCode
{
    private const int Stages = 2, QuietRounds = 3, CallsARound = 50, PauseMilliseconds = 40, MostRounds = 500;

    private static readonly Lock Gate = new();
    private static Type _next = typeof(int);

    /// <summary>Goes on until everything that a round runs often is optimised and the runtime has compiled nothing for some rounds.</summary>
    /// <param name="round">Runs the code, each method some fifty times: the runtime takes thirty calls for hot (dotnet/runtime, clrconfignames.h, TC_CallCountThreshold).</param>
    public static void Reach(Action round)
    {
        ArgumentNullException.ThrowIfNull(round);
        int rounds = 0;
        for (int stage = 0; stage < Stages; stage++) // precompiled code is optimised in two steps
        {
            Func<bool> isOptimised = NewWitness();
            for (int quiet = 0; quiet < QuietRounds && rounds < MostRounds; rounds++)
            {
                long before = JitInfo.GetCompiledMethodCount();
                round();
                bool isLast = false;
                for (int i = 0; i < CallsARound; i++)
                    isLast = isOptimised() || !IsTiered;
                Thread.Sleep(PauseMilliseconds);
                quiet = isLast && JitInfo.GetCompiledMethodCount() == before ? quiet + 1 : 0;
            }
        }
    }

    /// <summary>Whether the runtime compiles anything twice.</summary>
    private static bool IsTiered { get; } = Environment.GetEnvironmentVariable("DOTNET_TieredCompilation") is not "0"
        && !(AppContext.TryGetSwitch("System.Runtime.TieredCompilation", out bool isOn) && !isOn);

    /// <summary>A method that has not run yet and tells whether it is optimised.</summary>
    private static Func<bool> NewWitness()
    {
        lock (Gate)
            _next = typeof(ValueTuple<>).MakeGenericType(_next); // code of its own for each struct
        Type witness = typeof(Witness<>).MakeGenericType(_next);
        RuntimeHelpers.RunClassConstructor(witness.TypeHandle);
        return witness.GetMethod(nameof(Witness<>.IsOptimised))!.CreateDelegate<Func<bool>>();
    }

    private static class Witness<T>
        where T : struct
    {
        private static readonly int Number = Environment.ProcessId;

        /// <summary>Optimised code has the field's value in it; other code reads the field.</summary>
        public static bool IsOptimised()
        {
            // SAFETY: the field is an aligned int of this class that nobody else reads; only its value is changed.
            int next = ++Unsafe.AsRef(in Number);
            return Read() != next;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static int Read() => Number;
    }
}
