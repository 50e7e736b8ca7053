using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>An <c>obengine serve nbd</c>. It ends with its test at the latest.</summary>
internal sealed class ServedDisk : IAsyncDisposable
{
    private readonly Process _process;

    private ServedDisk(Process process, string address) => (_process, Address) = (process, address);

    /// <summary>The address that it has told.</summary>
    public string Address { get; }

    /// <summary>Waits for the address of a command that was begun with <c>--json</c>.</summary>
    public static async Task<ServedDisk> WaitAsync(Process process)
    {
        string? line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        if (line is null)
        {
            Assert.Fail((await Obengine.FinishAsync(process)).ToString());
        }

        return new ServedDisk(process, JsonDocument.Parse(line).RootElement.GetProperty("address").GetString()!);
    }

    /// <summary>Ends it as Ctrl+C does. There was to be nothing that it had to tell.</summary>
    public async Task EndAsync()
    {
        Shell.RunChecked("kill", "-INT", $"{_process.Id}");
        Run served = await Obengine.FinishAsync(_process);
        Assert.True(served.ExitCode == 0 && served.Error.Length == 0, served.ToString());
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
