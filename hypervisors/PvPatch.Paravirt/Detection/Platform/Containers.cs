namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>A container around this program, beside whatever machine it runs on.</summary>
/// <param name="Name">docker, podman, lxc, systemd-nspawn, wsl, kubernetes ...</param>
/// <param name="Source">The file or variable that tells it.</param>
/// <param name="Value">What stands there; "exists" when the file's being there is all.</param>
public sealed record ContainerSign(string Name, string Source, string Value);

/// <summary>The signs of containers, a row each.</summary>
public static class Containers
{
    private static readonly (string Name, string Path)[] Markers =
    [
        ("docker", ".dockerenv"),
        ("podman", "run/.containerenv"),
        ("kubernetes", "run/secrets/kubernetes.io"),
        ("kubernetes", "var/run/secrets/kubernetes.io"),
        ("wsl", "proc/sys/fs/binfmt_misc/WSLInterop"),
        ("proot", ".proot"),
    ];

    /// <summary>A text within a file: a container's manager leaves it there.</summary>
    private static readonly (string Name, string Path, string Text)[] Texts =
    [
        ("wsl", "proc/sys/kernel/osrelease", "Microsoft"),
        ("wsl", "proc/sys/kernel/osrelease", "WSL"),
        ("wsl", "proc/version", "Microsoft"),
        ("wsl", "proc/version", "WSL2"),
        ("kubernetes", "proc/self/cgroup", "kubepods"),
        ("docker", "proc/self/cgroup", "/docker/"),
        ("docker", "proc/self/cgroup", "/docker-"),
        ("podman", "proc/self/cgroup", "/libpod-"),
        ("lxc", "proc/self/cgroup", "/lxc/"),
        ("lxc", "proc/self/cgroup", "/lxc.payload"),
        ("kubernetes", "proc/1/cgroup", "kubepods"),
        ("docker", "proc/1/cgroup", "/docker/"),
        ("docker", "proc/1/cgroup", "/docker-"),
        ("podman", "proc/1/cgroup", "/libpod-"),
        ("lxc", "proc/1/cgroup", "/lxc/"),
        ("lxc", "proc/1/cgroup", "/lxc.payload"),
    ];

    /// <summary>Files in which a manager writes its own name.</summary>
    private static readonly string[] Names = ["run/systemd/container", "run/host/container-manager"];

    /// <summary>Finds the containers, each once, with the first sign of it.</summary>
    /// <param name="files">The system.</param>
    public static IReadOnlyList<ContainerSign> Find(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var found = new List<ContainerSign>();
        foreach (string path in Names)
            Add(found, NamedBy(files.ReadText(path)), "/" + path);
        Add(found, NamedBy(files.Variable("container")), "variable container");

        foreach ((string name, string path) in Markers)
        {
            if (files.Exists(path))
                Add(found, name, "/" + path, "exists");
        }

        FindTexts(files, found);
        if (files.Variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 } host)
            Add(found, "kubernetes", "variable KUBERNETES_SERVICE_HOST", host);
        if (files.Exists("proc/vz") && !files.Exists("proc/bc"))
            Add(found, "openvz", "/proc/vz", "exists without /proc/bc");

        // Last and only when nothing else speaks: it is often denied, and a denied file costs an exception.
        if (found.Count == 0)
            Add(found, NamedBy(VariableOfInit(files)), "/proc/1/environ");
        return found;
    }

    // The rows of one file stand together in time, not in the table, so a file is read once.
    private static void FindTexts(PlatformFiles files, List<ContainerSign> found)
    {
        string? path = null;
        string? content = null;
        foreach ((string name, string rowPath, string text) in Texts)
        {
            if (!string.Equals(path, rowPath, StringComparison.Ordinal))
            {
                path = rowPath;
                content = files.ReadText(rowPath);
            }

            if (content?.Contains(text, StringComparison.Ordinal) ?? false)
                Add(found, name, "/" + rowPath, text);
        }
    }

    private static string? VariableOfInit(PlatformFiles files)
    {
        const string Variable = "container=";
        foreach (string entry in files.ReadTextOfRoot("proc/1/environ")?.Split('\0') ?? [])
        {
            if (entry.StartsWith(Variable, StringComparison.Ordinal))
                return entry[Variable.Length..];
        }

        return null;
    }

    // A manager's own word; "oci" and others that aren't known are reported as they are.
    private static string? NamedBy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static void Add(List<ContainerSign> found, string? name, string source, string? value = null)
    {
        if (name is null)
            return;
        foreach (ContainerSign sign in found)
        {
            if (string.Equals(sign.Name, name, StringComparison.Ordinal))
                return;
        }

        found.Add(new ContainerSign(name, source, value ?? name));
    }
}
