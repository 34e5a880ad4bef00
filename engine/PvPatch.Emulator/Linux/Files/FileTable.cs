namespace PvPatch.Emulator.Linux.Files;

/// <summary>A program's descriptors and its working folder.</summary>
internal sealed class FileTable : IDisposable
{
    /// <summary>The most descriptors a program can have, as Linux's RLIMIT_NOFILE has it by default.</summary>
    public const int MostDescriptors = 1024;

    /// <summary>Stands for the working folder where a folder's descriptor is asked for (AT_FDCWD).</summary>
    public const int WorkingFolder = -100;

    private readonly Entry?[] _entries = new Entry?[MostDescriptors];

    /// <summary>The working folder.</summary>
    public string Folder { get; set; } = Environment.CurrentDirectory;

    /// <summary>The file of a descriptor; null if there is none.</summary>
    public OpenFile? this[long descriptor] =>
        descriptor is >= 0 and < MostDescriptors ? _entries[descriptor]?.File : null;

    /// <summary>Gives a file the lowest free descriptor from a number on; a negative error if there is none.</summary>
    public int Add(OpenFile file, bool closeOnExec = false, long from = 0)
    {
        for (long i = Math.Max(from, 0); i < MostDescriptors; i++)
        {
            if (_entries[i] is null)
            {
                Put((int)i, file, closeOnExec);
                return (int)i;
            }
        }

        if (file.Users == 0)
            file.Dispose();
        return -Errno.TooManyFiles;
    }

    /// <summary>Gives a file a certain descriptor, which is closed before.</summary>
    public void Replace(int descriptor, OpenFile file, bool closeOnExec)
    {
        file.Users++;
        Close(descriptor);
        file.Users--;
        Put(descriptor, file, closeOnExec);
    }

    /// <summary>Closes a descriptor; false if it is not open.</summary>
    public bool Close(long descriptor)
    {
        if (this[descriptor] is not { } file)
            return false;
        _entries[descriptor] = null;
        if (--file.Users == 0)
            file.Dispose();
        return true;
    }

    /// <summary>Whether a descriptor is closed by execve(2).</summary>
    public bool ClosesOnExec(long descriptor) => _entries[descriptor]!.CloseOnExec;

    /// <summary>Changes whether a descriptor is closed by execve(2).</summary>
    public void SetCloseOnExec(long descriptor, bool close) => _entries[descriptor]!.CloseOnExec = close;

    /// <summary>The host's path of a path that is relative to a folder's descriptor; null with a positive error.</summary>
    public string? Resolve(long folder, string path, out int error)
    {
        error = 0;
        string start = Folder;
        if (folder != WorkingFolder && !System.IO.Path.IsPathRooted(path))
        {
            if (this[folder] is not { } file)
            {
                error = Errno.BadFile;
                return null;
            }

            if (file is not HostFolder opened)
            {
                error = Errno.NotDirectory;
                return null;
            }

            start = opened.Path;
        }

        return System.IO.Path.Combine(start, path);
    }

    /// <summary>A copy whose descriptors lead to the same open files, as fork(2) makes it.</summary>
    public FileTable Copy()
    {
        var copy = new FileTable { Folder = Folder };
        for (int i = 0; i < MostDescriptors; i++)
        {
            if (_entries[i] is { } entry)
                copy.Put(i, entry.File, entry.CloseOnExec);
        }

        return copy;
    }

    /// <summary>Closes the descriptors that do not outlive execve(2).</summary>
    public void CloseForExec()
    {
        for (int i = 0; i < MostDescriptors; i++)
        {
            if (_entries[i] is { CloseOnExec: true })
                Close(i);
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < MostDescriptors; i++)
            Close(i);
    }

    private void Put(int descriptor, OpenFile file, bool closeOnExec)
    {
        file.Users++;
        _entries[descriptor] = new Entry(file) { CloseOnExec = closeOnExec };
    }

    private sealed class Entry(OpenFile file)
    {
        public OpenFile File { get; } = file;

        public bool CloseOnExec { get; set; }
    }
}
