using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using PvPatch.Engine;
using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf;

/// <summary>
/// A console program with so many ops and a site for each, written, published and run in processes of its own. Its argument
/// says how the slots are filled; it calls every site, and tells its CPU time, and its memory without what can be collected.
/// </summary>
internal sealed class GeneratedProgram : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pvpatch-program-").FullName;

    /// <summary>Writes and publishes it.</summary>
    /// <param name="sites">How many ops, and sites.</param>
    /// <param name="aheadOfTime">
    /// Whether its own code is compiled ahead too. The engine always is: the publish of a program compiles the packages that it uses.
    /// </param>
    public GeneratedProgram(int sites, bool aheadOfTime)
    {
        File.WriteAllText(Path.Combine(_folder, "program.csproj"), ProjectText(aheadOfTime));
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), SourceText(sites));
        string runtime = $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        ChildProcess.RunWell(["dotnet", "publish", _folder, "-c", "Release", "-r", runtime, "--self-contained", "false", "-o", Path.Combine(_folder, "out"), "-v", "quiet", "-nologo"]);
    }

    /// <summary>Runs it once.</summary>
    /// <param name="form"><c>by-hand</c>, <c>slots</c>, <c>patched</c>; <c>old</c> and <c>late</c> for sites that are compiled before, and led to copies; <c>loaded</c> and <c>image</c> for a copy loaded from its file, through its slots and patched.</param>
    public ProcessCost Start(string form)
    {
        var process = ChildProcess.RunWell([Path.Combine(_folder, "out", "program"), form]);
        string[] words = process.Output.Split(' ');
        return new ProcessCost(process.WallSeconds * 1000, double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture), words[2].Trim());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string ProjectText(bool aheadOfTime) => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
            <InvariantGlobalization>true</InvariantGlobalization>
            <PublishReadyToRun>true</PublishReadyToRun>
          </PropertyGroup>
          <ItemGroup>
            <Reference Include="PvPatch.Engine" HintPath="{typeof(Patcher).Assembly.Location}" />
            {(aheadOfTime ? "" : "<PublishReadyToRunExclude Include=\"program.dll\" />")}
          </ItemGroup>
        </Project>
        """;

    private static string SourceText(int sites)
    {
        string Each(string line) => string.Concat(Enumerable.Range(0, sites).Select(i => string.Format(CultureInfo.InvariantCulture, line, i)));
        return new StringBuilder("""
            using System.Runtime.CompilerServices;
            using System.Runtime.InteropServices;
            using PvPatch.Engine;
            using PvPatch.Engine.IndirectCalls;
            using PvPatch.Engine.Ops;
            using PvPatch.Engine.PatchedCalls.Image;
            using PvPatch.Engine.PatchedCalls.InPlace;

            long checksum = 0;
            if (args[0] is "loaded" or "image")
            {
                checksum += Copy.Sites(args[0])(1);
            }
            else
            {
                if (args[0] is "by-hand")
                    ByHand.Fill();
                else
                    checksum += Table.Fill(args[0]);
                checksum += Sites.All(1);
            }

            double time = Environment.CpuUsage.TotalTime.TotalMilliseconds;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Console.Write($"{time} {Environment.WorkingSet} {checksum}");

            static class Copy
            {
                /// The sites of a copy that is loaded from the program's file, through its slots or patched.
                public static Func<long, long> Sites(string form)
                {
                    string file = typeof(Table).Assembly.Location;
                    ImageSet set = form is "image" ? ImageSet.Load(Planned(file)) : ImageSet.LoadUnpatched([file]);
                    if (form is "loaded")
                        Filled(set["program"].GetType("Ops"), set["program"].GetType("Implementation"));
                    return set["program"].GetType("Sites").GetMethod("All").CreateDelegate<Func<long, long>>();
                }

                private static PatchPlan Planned(string file)
                {
                    PvOpTable table = Filled(typeof(Ops), typeof(Implementation));
                    PatchPlan plan = Patcher.Plan(table, [file]);
                    return plan.Report.Totals.Patched == table.Ops.Count ? plan : throw new InvalidOperationException(plan.Report.ToString());
                }

                private static PvOpTable Filled(Type ops, Type implementation)
                {
                    var table = new PvOpTable(ops);
                    table.Install(table.Ops.Select(o => KeyValuePair.Create(o.Name, PvTarget.Method(implementation.GetMethod(o.Slot.Name)))));
                    return table;
                }
            }

            static class Table
            {
                public static long Fill(string form)
                {
                    var table = new PvOpTable(typeof(Ops));
                    table.Install(Targets());
                    long checksum = form is "late" or "old" ? Sites.All(1) : 0;
                    if (form is not "slots")
                    {
                        var patch = Patcher.Apply(table, new ApplyOptions { RedirectCompiled = form is "late" });
                        if (form is not "old" && patch.Report.Totals.Patched < 0.99 * table.Ops.Count) // other bytes may look like a slot's address
                            throw new InvalidOperationException(patch.Report.ToString());
                    }

                    return checksum;
                }

                private static Dictionary<string, PvTarget> Targets()
                {
                    var targets = new Dictionary<string, PvTarget>();

            """)
            .Append(Each("        targets.Add(\"op.{0}\", PvTarget.Method(Implementation.Op{0}));\n"))
            .Append("        return targets;\n    }\n}\n\npublic static unsafe class Ops\n{\n")
            .Append(Each("    [PvOp(\"op.{0}\")] public static delegate* unmanaged<long, long> Op{0};\n"))
            .Append("}\n\nstatic class Implementation\n{\n")
            .Append(Each("    public static long Op{0}(long x) => (x * 3) + {0};\n"))
            .Append("}\n\nstatic unsafe class ByHand\n{\n")
            .Append(Each("    [UnmanagedCallersOnly] static long Op{0}(long x) => Implementation.Op{0}(x);\n"))
            .Append("    public static void Fill()\n    {\n")
            .Append(Each("        Ops.Op{0} = &Op{0};\n"))
            .Append("    }\n}\n\nstatic unsafe class Sites\n{\n")
            .Append(Each("    [MethodImpl(MethodImplOptions.NoInlining)] static long Site{0}(long x) => Ops.Op{0}(x);\n"))
            .Append("    public static long All(long x)\n    {\n")
            .Append(Each("        x = Site{0}(x);\n"))
            .Append("        return x;\n    }\n}\n")
            .ToString();
    }
}

/// <summary>What one process took.</summary>
/// <param name="WallMilliseconds">From its start to its end.</param>
/// <param name="CpuMilliseconds">CPU time, of all its threads.</param>
/// <param name="Memory">Its working set at the end, in bytes, after a collection that gives back what is free.</param>
/// <param name="Checksum">What its sites computed.</param>
internal sealed record ProcessCost(double WallMilliseconds, double CpuMilliseconds, long Memory, string Checksum);
