using System.Diagnostics;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

public sealed class SignalTests : IDisposable
{
    private readonly Obengine _obengine = new();
    private readonly string _pipe;

    public SignalTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends signals of Unix.");
        _pipe = _obengine.Folder["pipe"];
        Shell.RunChecked("mkfifo", _pipe);
    }

    public void Dispose() => _obengine.Dispose();

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task The_first_signal_ends_in_order(string signal)
    {
        using Process process = await StartAsync();
        using (await StuckAsync(process))
        {
            await SendAsync(process, signal);
        }

        Run run = await Obengine.FinishAsync(process);

        Assert.Equal(130, run.ExitCode);
        Assert.Contains("Error id: Stopped", run.Error);
    }

    [Fact]
    public async Task The_second_signal_ends_at_once()
    {
        using Process process = await StartAsync();
        using FileStream stuck = await StuckAsync(process);
        await SendAsync(process, "INT");

        Shell.RunChecked("kill", "-INT", process.Id.ToString());
        Run run = await Obengine.FinishAsync(process);

        Assert.Equal(130, run.ExitCode);
        Assert.DoesNotContain("Error id", run.Error);
    }

    [Theory]
    [InlineData("INT", 130, 0)]
    [InlineData("KILL", 137, 3)]
    public async Task A_backup_that_is_stopped_says_so_in_the_vault_and_one_that_is_killed_cannot(string signal, int ended, int verdict)
    {
        await _obengine.CreateVaultAsync();
        using Process process = _obengine.Start(
            ["backup", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--stdin", "dump", "--command", "--", "cat", _pipe]);
        FileStream stuck = await StuckAsync(process);
        while (!process.HasExited && !Directory.EnumerateFiles(_obengine.Vault, "*", SearchOption.AllDirectories).Any(file => file.Contains("/sessions/")))
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Shell.RunChecked("kill", $"-{signal}", process.Id.ToString());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await stuck.DisposeAsync();
        Assert.Equal(ended, (await Obengine.FinishAsync(process)).ExitCode);

        Run verified = await _obengine.OnVaultAsync("verify");
        Assert.Equal(verdict, verified.ExitCode);
        Assert.Equal(verdict != 0, verified.Output.Contains("NO POINT"));
    }

    private async Task<Process> StartAsync()
    {
        await _obengine.CreateVaultAsync();
        return _obengine.Start(
            ["backup", _obengine.Source, "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--exclude-file", _pipe]);
    }

    // A pipe that nobody writes to holds the command where no token reaches it; opening it waits until the command is there.
    private async Task<FileStream> StuckAsync(Process process)
    {
        Task<FileStream> opening = Task.Run(() => new FileStream(_pipe, FileMode.Open, FileAccess.Write));
        Task ended = process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Same(opening, await Task.WhenAny(opening, ended));
        return await opening;
    }

    private static async Task SendAsync(Process process, string signal)
    {
        Shell.RunChecked("kill", $"-{signal}", process.Id.ToString());
        string? note = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("Stopping;", note);
    }
}
