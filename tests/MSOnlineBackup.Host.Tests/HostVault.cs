using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

/// <summary>A folder with a vault in it, <c>vault</c>, its owner's file, and whatever a test puts there; command lines are run on that vault.</summary>
internal sealed class HostVault : IDisposable
{
    private readonly TempFolder _folder = new();

    /// <summary>What is backed up.</summary>
    public string Source => _folder["source"];

    /// <summary>A path in the folder.</summary>
    public string this[string name] => _folder[name];

    /// <summary>The files of the vault in folders of some name.</summary>
    public IEnumerable<FileInfo> FilesIn(string folder) => new DirectoryInfo(_folder["vault"]).EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => file.FullName.Contains($"{Path.DirectorySeparatorChar}{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    /// <summary>Creates the vault.</summary>
    public async Task CreateAsync() =>
        Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);

    /// <summary>Backs the source up. Returns the point's id.</summary>
    public async Task<string> BackUpAsync(params string[] options) =>
        (await SummaryAsync(0, ["backup", Source, "--machine", "ALPHA", .. options])).GetProperty("pointId").GetString()!;

    /// <summary>Runs a command that must end with a code. Returns its summary.</summary>
    public async Task<JsonElement> SummaryAsync(int exitCode, params string[] arguments)
    {
        (int code, JsonElement[] lines) = await LinesAsync(arguments);
        Assert.Equal(exitCode, code);
        return lines[^1];
    }

    /// <summary>Runs a command. Returns all that it says, the summary last.</summary>
    public async Task<(int ExitCode, JsonElement[] Lines)> LinesAsync(params string[] arguments)
    {
        (int code, string output, _) = await RunAsync([.. arguments, "--json"]);
        return (code, [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)]);
    }

    /// <summary>Runs a command.</summary>
    public async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        // The folder stamps what it gets with this machine's time.
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not ["vault", ..])
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        run.Clock.JumpTo(TimeProvider.System.GetUtcNow());
        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
