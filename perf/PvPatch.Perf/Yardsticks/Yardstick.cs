namespace PvPatch.Perf.Yardsticks;

/// <summary>A program of perf/yardsticks, compiled.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Program">The static Linux program; its argument is the number of repetitions.</param>
/// <param name="Kernel">The same work for a bare PC, by the PVH boot protocol; null if it needs Linux.</param>
internal sealed record Yardstick(string Name, string Program, string? Kernel)
{
    private static readonly string[] Flags = ["-O2", "-std=gnu11", "-static", "-fno-pie", "-no-pie", "-fno-stack-protector"];

    private static readonly (string Name, bool Library, bool Bare)[] Sources =
    [
        ("fib", false, true),
        ("tak", false, true),
        ("sieve", false, true),
        ("sha256", false, true),
        ("narrow", false, true),
        ("branches", false, true),
        ("pointers", false, true),
        ("bytecode", false, true),
        ("chase", false, true),
        ("float", false, true),
        ("packed", false, true),
        ("strings", true, false),
        ("library", true, false),
        ("calls", false, false),
    ];

    /// <summary>Compiles all.</summary>
    /// <param name="sources">The folder perf/yardsticks.</param>
    /// <param name="target">Where the programs go.</param>
    public static IReadOnlyList<Yardstick> Compile(string sources, string target) => [.. Sources.Select(source => Compile(sources, target, source.Name, source.Library, source.Bare))];

    private static Yardstick Compile(string sources, string target, string name, bool library, bool bare)
    {
        void Compile(string output, params string[] rest) => ChildProcess.RunWell(["gcc", .. Flags, "-o", Path.Combine(target, output), .. rest]);
        string Start(string file) => Path.Combine(sources, "start", file);
        string source = Path.Combine(sources, $"{name}.c");

        if (library)
            Compile(name, Start("libc.c"), source);
        else
            Compile(name, "-nostdlib", "-ffreestanding", Start("linux.c"), Start("memory.c"), source);
        if (!bare)
            return new Yardstick(name, Path.Combine(target, name), null);
        string kernel = $"{name}.kernel";
        Compile(kernel, "-nostdlib", "-ffreestanding", "-Wl,-e,start,--build-id=none", Start("machine.S"), Start("bare.c"), Start("memory.c"), source);
        return new Yardstick(name, Path.Combine(target, name), Path.Combine(target, kernel));
    }
}
