using System.Reflection;
using PvPatch.Emulator.Guests;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Tool;

/// <summary>The files of a guest: the kernel's assembly and, beside it, the ops it is bound to. They are loaded together, as a kernel's parts are linked together.</summary>
internal sealed class GuestImage
{
    private const string DefaultKernel = "PvPatch.GuestOs.dll";
    private const string OpsAssembly = "PvPatch.Paravirt.dll";

    private readonly string _kernelName;

    /// <summary>Names the files.</summary>
    /// <param name="kernel">The kernel's assembly; null for the one beside the program.</param>
    public GuestImage(string? kernel)
    {
        if (kernel is "")
            throw new ToolException(ExitCode.BadInput, "The guest image can't be used: its path is empty.");
        string path = kernel ?? Path.Combine(AppContext.BaseDirectory, DefaultKernel);
        string ops = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, OpsAssembly);
        if (!File.Exists(ops))
            ops = Path.Combine(AppContext.BaseDirectory, OpsAssembly);
        _kernelName = Path.GetFileNameWithoutExtension(path);
        Files = [path, ops];
    }

    /// <summary>The files, the kernel first.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Loads the files as they are.</summary>
    public IGuestKernel LoadUnpatched() => Open(() => ImageSet.LoadUnpatched(Files), out _);

    /// <summary>Loads the patched images and checks that they hold what was planned.</summary>
    /// <param name="plan">How they are patched.</param>
    /// <param name="images">The images.</param>
    public IGuestKernel LoadPatched(PatchPlan plan, out ImageSet images) => Open(
        () =>
        {
            ImageSet set = ImageSet.Load(plan);
            set.Verify();
            return set;
        },
        out images);

    private IGuestKernel Open(Func<ImageSet> load, out ImageSet images)
    {
        try
        {
            images = load();
            Assembly assembly = images[_kernelName];
            Type kernel = Array.Find(assembly.GetExportedTypes(), type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IGuestKernel)))
                ?? throw new ToolException(ExitCode.BadInput, $"{Files[0]} is no guest image: no public class implements IGuestKernel.");
            return (IGuestKernel)Activator.CreateInstance(kernel)!;
        }
        catch (PatchException e)
        {
            throw new ToolException(ExitCode.BadInput, $"The guest image can't be used: {e.Message}", e);
        }
        catch (TargetInvocationException e)
        {
            throw new ToolException(ExitCode.BadInput, $"The guest image can't be used: its kernel's constructor failed: {e.InnerException?.Message}", e);
        }
        catch (Exception e) when (e is TypeLoadException or FileNotFoundException or FileLoadException or MissingMethodException or BadImageFormatException)
        {
            throw new ToolException(ExitCode.BadInput, $"{Files[0]} is no guest image for this machine: {e.Message}", e);
        }
    }
}
