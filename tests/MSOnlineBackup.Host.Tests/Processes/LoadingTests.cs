using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Starting is felt: what a folder does not need is not loaded.</summary>
public sealed class LoadingTests : IDisposable
{
    private readonly Obengine _obengine = new();

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_vault_in_a_folder_is_used_without_anything_of_Azure_or_OpenTelemetry()
    {
        // With the list of dependencies gone too, what is in the folder is all there is.
        string program = Directory.CreateDirectory(_obengine.Folder["program"]).FullName;
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Obengine.BuiltProgram)!))
        {
            string name = Path.GetFileName(file);
            if (!name.Contains("Azure.", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Identity", StringComparison.Ordinal)
                && !name.StartsWith("OpenTelemetry", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Extensions", StringComparison.Ordinal)
                && !name.EndsWith(".deps.json", StringComparison.Ordinal))
            {
                File.Copy(file, Path.Combine(program, name));
            }
        }

        await File.WriteAllTextAsync(_obengine.Source + "/file", "content", TestContext.Current.CancellationToken);
        _obengine.Variables["OBENGINE_PASSPHRASE"] = Obengine.Passphrase;
        _obengine.Program = Path.Combine(program, "obengine.dll");

        Assert.Equal(0, (await _obengine.RunAsync(["vault", "create", _obengine.Vault])).ExitCode);
        Assert.Equal(0, (await _obengine.RunAsync(["backup", _obengine.Source, "--vault", _obengine.Vault, "--limit", "20M"])).ExitCode);
        Assert.Equal(0, (await _obengine.RunAsync(["restore", "latest", "--vault", _obengine.Vault, "--to", _obengine.Folder["target"]])).ExitCode);
        Assert.Contains(
            "Storage.Azure", (await _obengine.RunAsync(["vault", "info", "https://acct.blob.core.windows.net/vault"])).Error, StringComparison.Ordinal);
    }
}
