using System.Text;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Loading;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>execve(2): another program in the same process. Scripts are given to the program of their first line.</summary>
internal static unsafe class ExecCalls
{
    private const int LongestText = 1 << 17;
    private const int MostTexts = 1 << 16;
    private const int LongestFile = 1 << 30;
    private const int MostInterpreters = 4;
    private const int LongestFirstLine = 256;
    private const int AnyExecute = 0x49;

    public static long Execve(LinuxProcess process, in CallArguments call)
    {
        if (process.ReadHostPath(FileTable.WorkingFolder, call.A0, out int error) is not { } path)
            return -error;
        string given = process.ReadPath(call.A0, out _)!;
        if (ReadTexts(process, call.A1, out error) is not { } arguments || ReadTexts(process, call.A2, out error) is not { } environment)
            return -error;
        return LinuxProcess.Try(() => Run(process, path, new ProgramStart(given, arguments, environment), MostInterpreters));
    }

    private static long Run(LinuxProcess process, string path, ProgramStart start, int interpreters)
    {
        if (FileStatus.Of(path, followLinks: true, out int error) is not { } status)
            return -error;
        if ((status.Mode & AnyExecute) == 0 || !File.Exists(path))
            return -Errno.AccessDenied;
        if (new FileInfo(path).Length > LongestFile)
            return -Errno.NoMemory;
        byte[] file = File.ReadAllBytes(path);
        if (file.AsSpan().StartsWith("#!"u8))
            return interpreters == 0 ? -Errno.TooManyLinks : RunScript(process, file, start, interpreters);

        ElfImage image;
        try
        {
            image = ElfImage.Read(file);
        }
        catch (ElfException refused)
        {
            process.Options.Note($"'{path}' is not run: {refused.Message}.");
            return -Errno.NotExecutable;
        }

        AddressSpace space = process.System.NewSpace();
        try
        {
            var loaded = LoadedProgram.Load(space, image, start, process.Options.Owner);
            Enter(process, space, loaded, path);
            return 0;
        }
        catch (ElfException)
        {
            space.Release();
            return -Errno.NoMemory;
        }
    }

    private static long RunScript(LinuxProcess process, byte[] file, ProgramStart start, int interpreters)
    {
        ReadOnlySpan<byte> line = file.AsSpan(2, Math.Min(file.Length, LongestFirstLine) - 2);
        int end = line.IndexOf((byte)'\n');
        string text = Encoding.UTF8.GetString(end < 0 ? line : line[..end]).Trim(' ', '\t', '\r');
        if (text.Length == 0)
            return -Errno.NotExecutable;
        string[] words = text.Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (process.Files.Resolve(FileTable.WorkingFolder, words[0], out int error) is not { } path)
            return -error;
        return Run(process, path, start with { Path = words[0], Arguments = [.. words, start.Path, .. start.Arguments.Skip(1)] }, interpreters - 1);
    }

    private static void Enter(LinuxProcess process, AddressSpace space, LoadedProgram loaded, string path)
    {
        LinuxThread thread = process.Current;
        foreach (LinuxThread other in process.Threads.Where(t => t != thread).ToArray())
            other.HasEnded = true;
        process.Replace(space, loaded.Heap, Path.GetFullPath(path));
        thread.ClearedAtEnd = 0;
        thread.Signals.StackStart = thread.Signals.StackSize = 0;
        UserRegisters.AtStart(loaded.Entry, loaded.Stack).Load(process.Cpu);
    }

    /// <summary>Reads a list of texts that ends with a null pointer; null with a positive error.</summary>
    private static List<string>? ReadTexts(LinuxProcess process, ulong address, out int error)
    {
        var texts = new List<string>();
        error = 0;
        while (address != 0)
        {
            error = texts.Count == MostTexts ? Errno.TooBig : Errno.BadAddress;
            if (texts.Count == MostTexts || !process.TryRead64(address + ((ulong)texts.Count * 8), out ulong place))
                return null;
            if (place == 0)
                break;
            if (process.ReadText(place, LongestText, out error) is not { } text)
                return null;
            texts.Add(text);
        }

        error = 0;
        return texts;
    }
}
