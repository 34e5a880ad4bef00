namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>What /proc/cpuinfo says of a hypervisor: weak evidence, the kernel's own opinion.</summary>
public static class CpuInfo
{
    /// <summary>The answer of a kernel that runs as a process.</summary>
    public const string UserModeLinux = "User Mode Linux";

    /// <summary>The opinion in words; null when the kernel sees no hypervisor.</summary>
    /// <param name="files">The system.</param>
    public static string? Tell(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        foreach (string line in files.ReadText("proc/cpuinfo")?.Split('\n') ?? [])
        {
            if (line.StartsWith("vendor_id", StringComparison.Ordinal) && line.EndsWith(UserModeLinux, StringComparison.Ordinal))
                return UserModeLinux;
            if (line.StartsWith("flags", StringComparison.Ordinal))
                return HasWord(line, "hypervisor") ? "flag set" : null;
        }

        return null;
    }

    private static bool HasWord(string line, string word)
    {
        foreach (string found in line.Split(' '))
        {
            if (string.Equals(found, word, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
