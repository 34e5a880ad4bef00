using System.Reflection;

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

    /// <summary>All there are.</summary>
    public static IEnumerable<string> Names => Sources.Select(source => source.Name);

    /// <summary>Compiles one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="folder">Where the programs and their sources go.</param>
    /// <exception cref="PlatformNotSupportedException">The system has no compiler that can.</exception>
    public static Yardstick Compile(string name, string folder)
    {
        Installation.Required("gcc", "gcc");
        (_, bool library, bool bare) = Array.Find(Sources, source => source.Name == name);
        string sources = Extract(Path.Combine(folder, "sources"));
        string program = Path.Combine(folder, name), source = Path.Combine(sources, $"{name}.c"), start = Path.Combine(sources, "start");
        void Compile(string output, params ReadOnlySpan<string> rest)
        {
            var gcc = ChildProcess.Run(["gcc", .. Flags, "-o", output, .. rest]);
            if (gcc.Code != 0)
                throw new PlatformNotSupportedException($"gcc cannot compile {name}.c: {gcc.Error.Split('\n')[0]}");
        }

        string Start(string file) => Path.Combine(start, file);
        if (library)
            Compile(program, Start("libc.c"), source);
        else
            Compile(program, "-nostdlib", "-ffreestanding", Start("linux.c"), Start("memory.c"), source);
        if (!bare)
            return new Yardstick(name, program, null);
        string kernel = $"{program}.kernel";
        Compile(kernel, "-nostdlib", "-ffreestanding", "-Wl,-e,start,--build-id=none", Start("machine.S"), Start("bare.c"), Start("memory.c"), source);
        return new Yardstick(name, program, kernel);
    }

    /// <summary>Writes the sources, which this assembly carries.</summary>
    private static string Extract(string folder)
    {
        const string Prefix = "yardsticks/";
        Assembly own = typeof(Yardstick).Assembly;
        foreach (string resource in own.GetManifestResourceNames().Where(resource => resource.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            string file = Path.Combine(folder, resource[Prefix.Length..]);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            using Stream source = own.GetManifestResourceStream(resource)!;
            using FileStream target = File.Create(file);
            source.CopyTo(target);
        }

        return folder;
    }
}
