using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Emulator.Guests;
using PvPatch.Engine;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;

namespace PvPatch.Tool;

/// <summary>A guest that is patched in one of the ways.</summary>
internal sealed class GuestPatch : IDisposable
{
    private readonly PatchPlan? _plan;
    private readonly ImageSet? _images;
    private readonly LivePatch? _live;

    private GuestPatch(IGuestKernel kernel, PatchPlan plan, ImageSet images) => (Kernel, _plan, _images) = (kernel, plan, images);

    private GuestPatch(IGuestKernel kernel, LivePatch live) => (Kernel, _live) = (kernel, live);

    /// <summary>The kernel that runs patched: the one that booted, or one that has to go on from its memory.</summary>
    public IGuestKernel Kernel { get; }

    /// <summary>What was done to each site, as it is when asked for.</summary>
    public PatchReport Report => _plan?.Report ?? _live!.Report;

    /// <summary>What else is to be known, a sentence each.</summary>
    public IEnumerable<string> Notes => _plan?.Notes ?? _live!.Refusals.Select(refusal => refusal.Message);

    /// <summary>Patches a guest.</summary>
    /// <param name="mode">In which way.</param>
    /// <param name="image">Its files.</param>
    /// <param name="booted">The kernel that booted, with what is installed in its slots.</param>
    /// <exception cref="ToolException">This system cannot patch code in memory.</exception>
    public static GuestPatch Of(BootMode mode, GuestImage image, IGuestKernel booted)
    {
        try
        {
            return mode switch
            {
                BootMode.InPlace => InPlace(image, booted),
                BootMode.Late => new GuestPatch(booted, Patcher.Apply(booted.Ops, OptionsFor(booted) with { RedirectCompiled = true })),
                _ => Image(image, booted),
            };
        }
        catch (PatchException e) when (e.Error == PatchError.UnsupportedPlatform)
        {
            throw new ToolException(ExitCode.Environment, e.Message, e);
        }
    }

    /// <summary>What the runtime made of the patched code until now.</summary>
    public DiagnosisReport Diagnosed(PatchDiagnosis diagnosis) => _images is null ? diagnosis.Report(_live!) : diagnosis.Report(_images);

    /// <summary>Ends the watch for assemblies that are loaded later.</summary>
    public void Dispose() => _live?.Dispose();

    private static GuestPatch Image(GuestImage image, IGuestKernel booted)
    {
        PatchPlan plan = Patcher.Plan(booted.Ops, image.Files, ToolLog.FromEngine);
        IGuestKernel kernel = image.LoadPatched(plan, out ImageSet images);
        return new GuestPatch(kernel, plan, images);
    }

    private static GuestPatch InPlace(GuestImage image, IGuestKernel booted)
    {
        IGuestKernel fresh = image.LoadUnpatched();
        fresh.Ops.InstallFrom(booted.Ops);
        return new GuestPatch(fresh, Patcher.Apply(fresh.Ops, OptionsFor(fresh)));
    }

    /// <summary>The guest's own copies alone: the program has its own of the ops.</summary>
    private static ApplyOptions OptionsFor(IGuestKernel kernel)
    {
        AssemblyLoadContext? context = AssemblyLoadContext.GetLoadContext(kernel.GetType().Assembly);
        return new ApplyOptions { Assemblies = (Assembly assembly) => AssemblyLoadContext.GetLoadContext(assembly) == context, Log = ToolLog.FromEngine };
    }
}
