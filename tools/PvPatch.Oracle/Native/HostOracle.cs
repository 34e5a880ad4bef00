using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Native;

/// <summary>The host CPU as the judge: runs cases in a helper process of its own.</summary>
internal sealed unsafe class HostOracle : IDisposable
{
    /// <summary>A batch takes milliseconds; a case that never ends must not keep us for ever.</summary>
    private static readonly TimeSpan LongestBatch = TimeSpan.FromSeconds(30);

    private readonly string _directory;
    private readonly Process _process;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _shared;
    private readonly byte* _pages;

    [SupportedOSPlatform("linux")]
    private HostOracle(string directory)
    {
        _directory = directory;
        string program = Path.Combine(directory, "oracle");
        string sharedPath = Path.Combine(directory, "cases");
        File.WriteAllBytes(program, OracleProgram.Assemble());
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _file = MemoryMappedFile.CreateFromFile(sharedPath, FileMode.Create, null, (long)CaseLayout.SharedSize);
        _shared = _file.CreateViewAccessor();
        _shared.SafeMemoryMappedViewHandle.AcquirePointer(ref _pages);
        _process = Process.Start(new ProcessStartInfo(program, sharedPath) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        WaitForBatch();
    }

    /// <summary>Starts the helper, or says why the host can't be the judge.</summary>
    public static HostOracle? TryStart(out string reason)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            reason = "the host is not Linux on x86-64";
            return null;
        }

        string place = Directory.CreateTempSubdirectory("pvpatch-oracle-").FullName;
        try
        {
            reason = string.Empty;
            return new HostOracle(place);
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception or UnauthorizedAccessException)
        {
            Directory.Delete(place, recursive: true);
            reason = $"the helper process does not run here: {e.Message}";
            return null;
        }
    }

    /// <summary>Runs cases on the host.</summary>
    public MachineCase[] Run(IReadOnlyList<MachineCase> cases)
    {
        // SAFETY: the view has room for the count and as many cases as a batch may have, and stays mapped until Dispose.
        *(ulong*)_pages = (ulong)cases.Count;
        for (int i = 0; i < cases.Count; i++)
            cases[i].WriteTo(Half(i, 0));
        _process.StandardInput.BaseStream.WriteByte(1);
        _process.StandardInput.BaseStream.Flush();
        WaitForBatch();
        var results = new MachineCase[cases.Count];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = new MachineCase();
            results[i].ReadFrom(Half(i, CaseLayout.ResultOffset));
        }

        return results;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _shared.SafeMemoryMappedViewHandle.ReleasePointer();
        _shared.Dispose();
        _file.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A case or its result.</summary>
    private Span<byte> Half(int number, int offset) => new(_pages + CaseLayout.FirstSlot + (number * CaseLayout.SlotSize) + offset, CaseLayout.ResultOffset);

    private void WaitForBatch()
    {
        using var watch = new Timer(_ => _process.Kill(), null, LongestBatch, Timeout.InfiniteTimeSpan);
        if (_process.StandardOutput.BaseStream.ReadByte() < 0)
        {
            _process.WaitForExit();
            throw new IOException($"the helper process ended with status {_process.ExitCode}");
        }
    }
}
