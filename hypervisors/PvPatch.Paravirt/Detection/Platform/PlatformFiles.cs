using System.Text;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>
/// The files, environment variables and firmware tables in which a system shows what it runs on. Everything goes through
/// here, so that a test (or a recorded machine) gives its own. What is missing or may not be read is simply not there.
/// </summary>
public sealed class PlatformFiles
{
    private const int LargestFile = 64 * 1024;

    private readonly string? _root;
    private readonly Func<string, string?> _variable;

    /// <summary>A system recorded in a folder.</summary>
    /// <param name="root">The folder that stands for <c>/</c>.</param>
    /// <param name="variables">The environment variables; none when left out.</param>
    public PlatformFiles(string root, IReadOnlyDictionary<string, string>? variables = null)
        : this(root, name => variables is not null && variables.TryGetValue(name, out string? value) ? value : null, isThisMachine: false)
    {
        ArgumentNullException.ThrowIfNull(root);
    }

    private PlatformFiles(string? root, Func<string, string?> variable, bool isThisMachine)
    {
        _root = root;
        _variable = variable;
        IsThisMachine = isThisMachine;
    }

    /// <summary>The system this program runs on.</summary>
    public static PlatformFiles ThisMachine { get; } =
        new(OperatingSystem.IsWindows() ? null : "/", Environment.GetEnvironmentVariable, isThisMachine: true);

    /// <summary>A system of which nothing is known but its CPUID.</summary>
    public static PlatformFiles Nothing { get; } = new(root: null, static _ => null, isThisMachine: false);

    /// <summary>These are the files of the running system, so its operating system may be asked too.</summary>
    public bool IsThisMachine { get; }

    /// <summary>An environment variable, or null.</summary>
    /// <param name="name">Its name.</param>
    public string? Variable(string name) => _variable(name);

    /// <summary>Whether a file or a folder is there.</summary>
    /// <param name="path">Its path from the root, without a leading slash.</param>
    public bool Exists(string path) => _root is not null && Path.Exists(Path.Join(_root, path));

    /// <summary>A file's first 64 KiB as text without white space or zero bytes at its ends; null when it is missing, unreadable or empty.</summary>
    /// <param name="path">Its path from the root, without a leading slash.</param>
    public string? ReadText(string path) => TextOf(ReadBytes(path, LargestFile));

    /// <summary>
    /// As <see cref="ReadText"/>, for a file that only root may read: on this machine it isn't even tried by others, since
    /// the first exception of a process costs milliseconds.
    /// </summary>
    /// <param name="path">Its path from the root, without a leading slash.</param>
    public string? ReadTextOfRoot(string path) => MayReadFilesOfRoot ? ReadText(path) : null;

    /// <summary>Whether files that only root may read are worth a try.</summary>
    public bool MayReadFilesOfRoot => !IsThisMachine || Environment.IsPrivilegedProcess;

    /// <summary>A file's first bytes, or null when it is missing or unreadable.</summary>
    /// <param name="path">Its path from the root, without a leading slash.</param>
    /// <param name="limit">How many bytes at most.</param>
    public byte[]? ReadBytes(string path, int limit)
    {
        if (_root is null)
            return null;

        string full = Path.Join(_root, path);
        if (!File.Exists(full))
            return null;
        try
        {
            using FileStream stream = new(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] buffer = new byte[Math.Min(limit, 4096)];
            int length = 0;
            while (true)
            {
                int read = stream.Read(buffer, length, buffer.Length - length);
                length += read;
                if (read == 0 || length == limit)
                    break;
                if (length == buffer.Length)
                    Array.Resize(ref buffer, Math.Min(limit, 2 * length));
            }

            return buffer[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The names of a folder's entries, in the file system's order; none when it is missing or unreadable.</summary>
    /// <param name="path">Its path from the root, without a leading slash.</param>
    public IReadOnlyList<string> NamesIn(string path)
    {
        if (_root is null)
            return [];

        string full = Path.Join(_root, path);
        if (!Directory.Exists(full))
            return [];
        try
        {
            string[] names = Directory.GetFileSystemEntries(full);
            for (int i = 0; i < names.Length; i++)
                names[i] = Path.GetFileName(names[i]);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? TextOf(byte[]? bytes)
    {
        if (bytes is null)
            return null;
        string text = Encoding.UTF8.GetString(bytes).Trim('\0', ' ', '\t', '\r', '\n');
        return text.Length == 0 ? null : text;
    }
}
