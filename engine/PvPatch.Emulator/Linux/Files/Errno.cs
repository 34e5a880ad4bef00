namespace PvPatch.Emulator.Linux.Files;

/// <summary>The numbers of Linux's errors on x86-64 (errno(3)); system calls return them negative.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int NoProcess = 3;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int TooBig = 7;
    public const int NotExecutable = 8;
    public const int BadFile = 9;
    public const int NoChild = 10;
    public const int Again = 11;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int BadAddress = 14;
    public const int Exists = 17;
    public const int NoDevice = 19;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int Invalid = 22;
    public const int TooManyFiles = 24;
    public const int NotTerminal = 25;
    public const int FileTooBig = 27;
    public const int NoSpace = 28;
    public const int IllegalSeek = 29;
    public const int BrokenPipe = 32;
    public const int OutOfRange = 34;
    public const int NameTooLong = 36;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int TooManyLinks = 40;
    public const int Overflow = 75;
    public const int TimedOut = 110;

    private const int LastKnown = 133;

    /// <summary>The error that a failure of the host's file system stands for.</summary>
    public static int Of(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => NoEntry,
        PathTooLongException => NameTooLong,
        UnauthorizedAccessException => AccessDenied,
        // On Unix the runtime gives the host's own number, which Linux's x86-64 shares for all that occurs here.
        IOException { HResult: > 0 and <= LastKnown } io when !OperatingSystem.IsWindows() => io.HResult,
        IOException io when OperatingSystem.IsWindows() => OfWindows(io.HResult & 0xffff),
        NotSupportedException => IllegalSeek,
        ArgumentException => Invalid,
        _ => InputOutput,
    };

    /// <summary>Whether <see cref="Of"/> knows a failure: one of the file system, not a mistake of ours.</summary>
    public static bool Knows(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException;

    private static int OfWindows(int code) => code switch
    {
        39 or 112 => NoSpace,
        80 or 183 => Exists,
        109 or 232 => BrokenPipe,
        145 => NotEmpty,
        267 => NotDirectory,
        _ => InputOutput,
    };
}
