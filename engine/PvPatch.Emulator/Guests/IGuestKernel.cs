using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Emulator.Guests;

/// <summary>
/// The boot contract: what the program that owns the machine and a guest image share. A guest image is an assembly with
/// one public class that implements it and has a public parameterless constructor.
/// A kernel's data live in guest memory, so its text can be replaced: the unpatched image boots, the patched image goes on
/// from the same memory. Every call is made on the boot CPU's thread.
/// </summary>
public interface IGuestKernel
{
    /// <summary>The guest's op tables with what is installed in them.</summary>
    PvOpTable Ops { get; }

    /// <summary>The workloads <see cref="Run"/> knows.</summary>
    IReadOnlyList<string> Workloads { get; }

    /// <summary>Boots from reset to the point where call sites are patched: every op in its slot, the kernel ready for its first program.</summary>
    void Boot(BootParameters boot);

    /// <summary>Goes on in this image with the data that another image of the same kernel left in memory.</summary>
    /// <param name="boot">The same machine.</param>
    /// <param name="installed">The tables of the image that booted; their targets are installed in this image's slots too.</param>
    void Resume(BootParameters boot, PvOpTable installed);

    /// <summary>Runs a workload in kernel tasks.</summary>
    /// <param name="workload">One of <see cref="Workloads"/>.</param>
    /// <param name="seed">What its pseudo-random choices start from.</param>
    /// <param name="rounds">How often its basic round is done.</param>
    /// <returns>A checksum that depends on the workload, the seed and the rounds alone: the same on every hypervisor, patched or not.</returns>
    ulong Run(string workload, ulong seed, int rounds);

    /// <summary>Stops orderly: tasks, timer, interrupts, then power off through the machine.</summary>
    void Shutdown();
}
