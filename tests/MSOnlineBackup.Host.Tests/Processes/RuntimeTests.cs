using System.Diagnostics;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>What the runtime below the program needs and leaves.</summary>
public sealed class RuntimeTests : IDisposable
{
    private readonly Obengine _obengine = new();

    public RuntimeTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits and sockets are those of Linux.");

    public void Dispose() => _obengine.Dispose();

    [Theory]
    [InlineData(48)]
    [InlineData(95)]
    public void Too_few_open_files_for_the_runtime_are_said_to_be_that(int most)
    {
        (int exitCode, string output) =
            Shell.Run("/bin/sh", "-c", $"ulimit -n {most}; exec dotnet '{_obengine.Program}' points --vault '{_obengine.Vault}' 2>&1");

        Assert.Equal(1, exitCode);
        Assert.Equal($"obengine: This process may have only {most} files open at once, and needs 96.\n\n  What to do: Raise the limit: "
            + "'ulimit -n 1024'.\n  Error id: OpenFileLimitLow\n", output);
    }

    [Fact]
    public async Task A_program_that_is_killed_leaves_no_sockets_for_debuggers()
    {
        string temporary = Directory.CreateDirectory(_obengine.Folder["temporary"]).FullName;
        await _obengine.CreateVaultAsync();
        _obengine.Variables["TMPDIR"] = temporary;
        _obengine.Variables["DOTNET_EnableDiagnostics"] = string.Empty;
        using Process process =
            _obengine.Start(["backup", "--stdin", "x", "--vault", _obengine.Vault, "--passphrase-file", _obengine.PassphraseFile, "--json"]);
        Assert.NotNull(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Empty(Directory.GetFiles(temporary));
    }
}
