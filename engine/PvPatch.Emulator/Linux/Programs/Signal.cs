namespace PvPatch.Emulator.Linux.Programs;

/// <summary>The signals of Linux on x86-64 (signal(7)).</summary>
public enum Signal
{
    /// <summary>No signal.</summary>
    None = 0,

    /// <summary>SIGHUP.</summary>
    Hangup = 1,

    /// <summary>SIGINT.</summary>
    Interrupt = 2,

    /// <summary>SIGQUIT.</summary>
    Quit = 3,

    /// <summary>SIGILL.</summary>
    IllegalInstruction = 4,

    /// <summary>SIGTRAP.</summary>
    Trap = 5,

    /// <summary>SIGABRT.</summary>
    Abort = 6,

    /// <summary>SIGBUS.</summary>
    Bus = 7,

    /// <summary>SIGFPE.</summary>
    Arithmetic = 8,

    /// <summary>SIGKILL.</summary>
    Kill = 9,

    /// <summary>SIGUSR1.</summary>
    User1 = 10,

    /// <summary>SIGSEGV.</summary>
    Segmentation = 11,

    /// <summary>SIGUSR2.</summary>
    User2 = 12,

    /// <summary>SIGPIPE.</summary>
    Pipe = 13,

    /// <summary>SIGALRM.</summary>
    Alarm = 14,

    /// <summary>SIGTERM.</summary>
    Terminate = 15,

    /// <summary>SIGCHLD.</summary>
    Child = 17,

    /// <summary>SIGCONT.</summary>
    Continue = 18,

    /// <summary>SIGSTOP.</summary>
    Stop = 19,

    /// <summary>SIGTSTP.</summary>
    TerminalStop = 20,

    /// <summary>SIGTTIN.</summary>
    TerminalInput = 21,

    /// <summary>SIGTTOU.</summary>
    TerminalOutput = 22,

    /// <summary>SIGURG.</summary>
    Urgent = 23,

    /// <summary>SIGWINCH.</summary>
    WindowChanged = 28,

    /// <summary>SIGSYS.</summary>
    BadSystemCall = 31,
}
