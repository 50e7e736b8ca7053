using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Runs the built program as a process of its own, with a vault and a passphrase file in a folder of the test's.</summary>
internal sealed class Obengine : IDisposable
{
    public const string Passphrase = "correct horse battery staple";

    public Obengine()
    {
        File.WriteAllText(PassphraseFile, Passphrase + "\n");
        Directory.CreateDirectory(Source);
        Variables["XDG_CONFIG_HOME"] = Folder["config"];
    }

    public TempFolder Folder { get; } = new();

    public string Vault => Folder["vault"];

    public string Source => Folder["source"];

    public string PassphraseFile => Folder["passphrase"];

    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>What is run: that beside the tests.</summary>
    public string Program { get; set; } = Path.Combine(AppContext.BaseDirectory, "obengine.dll");

    public void Dispose() => Folder.Dispose();

    /// <summary>Runs a command to its end.</summary>
    public async Task<Run> RunAsync(IEnumerable<string> arguments, string? input = null)
    {
        using Process process = Start(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        return await FinishAsync(process);
    }

    /// <summary>Runs a command on the vault.</summary>
    public Task<Run> OnVaultAsync(params string[] arguments) =>
        RunAsync([arguments[0], "--vault", Vault, "--passphrase-file", PassphraseFile, .. arguments[1..]]);

    /// <summary>Runs a command on the vault that must succeed, and gives its JSON lines.</summary>
    public async Task<IReadOnlyList<JsonElement>> JsonAsync(params string[] arguments)
    {
        Run run = await OnVaultAsync([arguments[0], "--json", .. arguments[1..]]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Output}{run.Error}");
        Assert.Empty(run.Error);
        return run.Lines();
    }

    /// <summary>Creates the vault.</summary>
    public async Task CreateVaultAsync()
    {
        Run run = await RunAsync(["vault", "create", Vault, "--passphrase-file", PassphraseFile]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    /// <summary>Starts a command.</summary>
    public Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder.Path,
        };
        foreach (string name in new[] { "OBENGINE_VAULT", "OBENGINE_PASSPHRASE", "OBENGINE_NEW_PASSPHRASE" })
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in Variables)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Reads what a command still writes, until it ends.</summary>
    public static async Task<Run> FinishAsync(Process process)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        Task<string> error = process.StandardError.ReadToEndAsync(stop);
        string output = await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new Run(process.ExitCode, output, await error);
    }
}

/// <summary>How a command ended.</summary>
internal sealed record Run(int ExitCode, string Output, string Error)
{
    /// <summary>Its JSON lines.</summary>
    public IReadOnlyList<JsonElement> Lines() =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];
}
