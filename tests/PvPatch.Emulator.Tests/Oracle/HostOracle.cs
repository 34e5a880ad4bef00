using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>The host CPU as the judge: runs cases in a helper process of its own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class HostOracle : IDisposable
{
    private readonly string directory;
    private readonly Process process;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor shared;
    private readonly byte[] batch = new byte[CaseLayout.SharedSize];

    private HostOracle(string directory)
    {
        this.directory = directory;
        string program = Path.Combine(directory, "oracle");
        string sharedPath = Path.Combine(directory, "cases");
        File.WriteAllBytes(program, OracleProgram.Assemble());
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        file = MemoryMappedFile.CreateFromFile(sharedPath, FileMode.Create, null, (long)CaseLayout.SharedSize);
        shared = file.CreateViewAccessor();
        process = Process.Start(new ProcessStartInfo(program, sharedPath) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        WaitForBatch();
    }

    /// <summary>Starts the helper, or says why the host can't be the judge.</summary>
    public static HostOracle? TryStart(out string reason)
    {
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
        MemoryMarshal.Write(batch, (ulong)cases.Count);
        for (int i = 0; i < cases.Count; i++)
            cases[i].WriteTo(batch.AsSpan(CaseLayout.FirstSlot + (i * CaseLayout.SlotSize), CaseLayout.ResultOffset));
        int used = CaseLayout.FirstSlot + (cases.Count * CaseLayout.SlotSize);
        shared.WriteArray(0, batch, 0, used);
        process.StandardInput.BaseStream.WriteByte(1);
        process.StandardInput.BaseStream.Flush();
        WaitForBatch();
        shared.ReadArray(0, batch, 0, used);
        var results = new MachineCase[cases.Count];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = new MachineCase();
            results[i].ReadFrom(batch.AsSpan(CaseLayout.FirstSlot + (i * CaseLayout.SlotSize) + CaseLayout.ResultOffset, CaseLayout.ResultOffset));
        }

        return results;
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
        shared.Dispose();
        file.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private void WaitForBatch()
    {
        if (process.StandardOutput.BaseStream.ReadByte() < 0)
        {
            process.WaitForExit();
            throw new IOException($"it ended with status {process.ExitCode}");
        }
    }
}
