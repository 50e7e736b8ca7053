using System.Diagnostics;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Testing;

/// <summary>The standard input and output of a program. It ends with whoever has it.</summary>
public sealed class ProcessPipe : VaultPipe
{
    private readonly Process _process;

    /// <summary>Starts it; what it writes to standard error is the test's.</summary>
    public ProcessPipe(params string[] line) => _process = Process.Start(
        new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    public override Stream Incoming => _process.StandardOutput.BaseStream;

    public override Stream Outgoing => _process.StandardInput.BaseStream;

    protected override void Dispose(bool disposing)
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
