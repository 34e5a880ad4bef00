using System.Text;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Tool;

/// <summary><c>--detect</c>: what runs us, how that is known, and what would be installed.</summary>
/// <param name="planner">Says which ops would be installed.</param>
internal sealed class DetectCommand(OpPlanner planner)
{
    /// <summary>Looks, prints, answers.</summary>
    /// <param name="options">What was asked.</param>
    internal ExitCode Run(DetectOptions options)
    {
        ICpuidSource cpuid = options.CpuidFile is { } file ? ReadDump(file) : HostCpuid.Instance;
        PlatformFiles files = options.CpuidFile is null ? PlatformFiles.ThisMachine : PlatformFiles.Nothing;
        if (options.Quiet)
            return CodeOf(HypervisorDetector.IsVirtual(cpuid, files));

        DetectionResult result = HypervisorDetector.Detect(cpuid, files);
        using Stream output = Console.OpenStandardOutput();
        if (options.Json)
        {
            DetectDocument.Write(output, result, planner(cpuid, result));
        }
        else
        {
            using var writer = new StreamWriter(output, bufferSize: 16 * 1024);
            new DetectText(writer, Ink.ForStandardOutput()).Write(result, planner(cpuid, result));
        }

        return CodeOf(result.IsVirtual);
    }

    private static ExitCode CodeOf(bool isVirtual) => isVirtual ? ExitCode.Success : ExitCode.BareHardware;

    private static CpuidDump ReadDump(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            using var reader = new StreamReader(stream);
            var text = new StringBuilder();
            char[] part = new char[16 * 1024];
            for (int read = reader.Read(part); read > 0; read = reader.Read(part))
            {
                text.Append(part, 0, read);
                if (text.Length > CpuidDump.LargestText)
                    throw new ToolException(ExitCode.BadInput, $"{file} is too large for a CPUID dump (more than {CpuidDump.LargestText} characters).");
            }

            return CpuidDump.Parse(text.ToString());
        }
        catch (CpuidDumpException e)
        {
            throw new ToolException(ExitCode.BadInput, $"{file} is no CPUID dump: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException(ExitCode.BadInput, $"The CPUID dump can't be read: {e.Message}", e);
        }
    }
}
