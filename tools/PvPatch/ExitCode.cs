namespace PvPatch.Tool;

/// <summary>What the command's exit code says. The numbers are part of its interface.</summary>
internal enum ExitCode
{
    /// <summary>Done. For <c>--detect</c>: a hypervisor was found.</summary>
    Success = 0,

    /// <summary><c>--detect</c> found none.</summary>
    BareHardware = 1,

    /// <summary>The command line makes no sense.</summary>
    WrongUsage = 2,

    /// <summary>A file that the command line names is missing, unreadable or malformed.</summary>
    BadInput = 3,

    /// <summary>The environment lacks something: memory, disk space, a device.</summary>
    Environment = 4,

    /// <summary>A mistake in PvPatch itself; <c>--log-file</c> keeps what is needed to report it.</summary>
    InternalError = 70,
}
