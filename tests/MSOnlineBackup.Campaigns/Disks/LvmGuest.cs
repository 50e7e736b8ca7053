using System.Text.Json;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>
/// A Debian guest under QEMU, whose kernel has a device mapper: it runs tests/guest/lvm.sh once with the published program, and this has what it reported.
/// </summary>
public sealed class LvmGuest : IAsyncLifetime
{
    /// <summary>How often the guest backs up what a program keeps in step.</summary>
    public static int Rounds { get; } = Campaign.Rounds(usual: 2, full: 5);

    private readonly List<(string Name, string Value)> _facts = [];
    private string? _missing;

    /// <summary>Builds and runs the guest, where that is asked for.</summary>
    public async ValueTask InitializeAsync()
    {
        // First: where there can be no guest, nothing is published for it.
        _missing = await GuestSystem.FindMissingAsync();
        if (_missing is not null)
        {
            return;
        }

        using var folder = new TempFolder();
        string guest = folder["test"];
        Directory.CreateDirectory(guest);
        await FolderVault.CreateAsync(Path.Combine(guest, "vault"));
        await File.WriteAllTextAsync(Path.Combine(guest, "passphrase"), Obengine.Passphrase + "\n");
        await File.WriteAllTextAsync(Path.Combine(guest, "freeze.sh"), FileSystemFreeze.Script);
        await File.WriteAllTextAsync(Path.Combine(guest, "scenario.sh"), $"ROUNDS={Rounds}\n" + await File.ReadAllTextAsync(GuestSystem.Script("lvm.sh")));
        await PublishAsync(Path.Combine(guest, "obengine"), folder["artifacts"]);
        Run run = await GuestSystem.RunAsync(GuestSystem.Script("run.sh"), guest, "3");
        foreach (string line in run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ', 2);
            _facts.Add((parts[0], parts.ElementAtOrDefault(1) ?? ""));
        }

        Assert.True(run.ExitCode == 0 && Values("ended") is ["0"], run.ToString());
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Skips the test where there is no guest.</summary>
    public void Require() => Assert.SkipWhen(_missing is not null, _missing ?? "");

    /// <summary>What was reported under a name, in its order.</summary>
    public IReadOnlyList<string> Values(string name) => [.. _facts.Where(fact => fact.Name == name).Select(fact => fact.Value)];

    /// <summary>The one thing that was reported under a name.</summary>
    public string Value(string name) => Assert.Single(Values(name));

    /// <summary>The lines of a type that a backup wrote.</summary>
    public IReadOnlyList<JsonElement> Lines(string backup, string type) =>
        [.. Values("line." + backup).Select(line => JsonDocument.Parse(line).RootElement.Clone()).Where(line => line.GetProperty("type").GetString() == type)];

    // As it is published but for what takes minutes: trimming, and compiling it as one with its runtime.
    private static async Task PublishAsync(string folder, string artifacts)
    {
        string project = Path.Combine(Repository.Root, "src", "MSOnlineBackup.Host");
        Run published = await GuestSystem.RunAsync(
            "dotnet", "publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "--nologo", "--verbosity", "quiet", "-nodeReuse:false",
            "--artifacts-path", artifacts, "--output", folder, "-p:PublishTrimmed=false", "-p:PublishReadyToRunComposite=false");
        Assert.True(published.ExitCode == 0, published.ToString());
    }
}
