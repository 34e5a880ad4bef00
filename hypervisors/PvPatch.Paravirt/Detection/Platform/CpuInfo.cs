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
        foreach (ReadOnlySpan<char> line in files.ReadText("proc/cpuinfo").AsSpan().EnumerateLines())
        {
            if (line.StartsWith("vendor_id") && line.EndsWith(UserModeLinux))
                return UserModeLinux;
            if (line.StartsWith("flags"))
                return HasWord(line, "hypervisor") ? "flag set" : null;
        }

        return null;
    }

    private static bool HasWord(ReadOnlySpan<char> line, ReadOnlySpan<char> word)
    {
        foreach (Range range in line.Split(' '))
        {
            if (line[range].SequenceEqual(word))
                return true;
        }

        return false;
    }
}
