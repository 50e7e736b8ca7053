using System.Diagnostics;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>
/// Copies to a twin, killed again and again at random moments, beside collections in both places. After each the twin is whole, and nothing that had arrived was sent again; at the end
/// it alone gives back everything.
/// </summary>
public sealed class CopyKillTests : IDisposable
{
    private readonly Obengine _obengine = new();
    private readonly Random _random = new(20261130);
    private string _twin = "";
    private Func<IVaultStore> _open = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task To_a_folder()
    {
        _twin = _obengine.Folder["twin"];
        _open = () => new FolderVaultStore(_twin);
        await RunAsync();
    }

    [Fact]
    public async Task To_a_container()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        _twin = AzuriteServer.Shared.NewContainer();
        _open = () => new ResilientVaultStore(BlobVaultStore.Open(_twin, new VaultConnection()));
        await RunAsync();
    }

    private async Task RunAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Trees are built and compared with Linux's calls.");
        var tree = new SourceTreeBuilder(_obengine.Source);
        for (int i = 0; i < 1000; i++)
        {
            tree.File($"small/{i % 40}/f{i}", 200 + (i * 7 % 9000), seed: i);
        }

        tree.File("large", 60 << 20);
        await _obengine.CreateVaultAsync();
        Run created = await _obengine.RunAsync(["vault", "create", _twin, "--twin-of", _obengine.Vault]);
        Assert.True(created.ExitCode == 0, $"{created}");
        await _obengine.JsonAsync("backup", _obengine.Source);
        int killed = 0;
        int finished = 0;
        for (int round = 1, rounds = Testing.Campaign.Rounds(usual: 2, full: 50); killed < rounds; round++)
        {
            Assert.True(round < 10 * rounds, $"Of {round} copies only {killed} could be killed.");
            Task<Run>[] maintaining = round % 2 == 0 ? [MaintainAsync(_obengine.Vault), MaintainAsync(_twin)] : [];
            bool wasKilled = await KillCopyAsync();
            killed += wasKilled ? 1 : 0;
            finished += wasKilled ? 0 : 1;
            foreach (Run maintained in await Task.WhenAll(maintaining))
            {
                Assert.True(maintained.ExitCode == 0, $"round {round}: {maintained}");
            }

            Run verified = await _obengine.RunAsync(["verify", "--vault", _twin, "--passphrase-file", _obengine.PassphraseFile, round % 5 == 0 ? "--read-data" : "--json"]);
            Assert.True(verified.ExitCode == 0, $"round {round}: {verified}");
            Assert.Equal(0, (await OpenedVault.OpenAsync(_open(), Obengine.Passphrase, Stop)).CountRepeatedContents());

            // Something to do for the next one, whether this one was over or not.
            if (!wasKilled || round % 3 == 0)
            {
                tree.File("large", (50 << 20) + _random.Next(20 << 20), seed: round).File($"small/{round % 40}/new{round}", 5000, seed: round);
                await _obengine.JsonAsync("backup", _obengine.Source);
            }
        }

        await FinishAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} copies killed, {finished} over before");
    }

    private async Task FinishAsync()
    {
        string[] copy = [.. Copy, "--json"];
        Run last = await _obengine.RunAsync(copy);
        Assert.True(last.ExitCode == 0, $"{last}");
        Assert.Equal(0, (await _obengine.RunAsync(copy)).Lines()[^1].GetProperty("storedBytes").GetInt64());
        string[] points = await ListAsync();
        _obengine.Vault = _twin;
        string[] copies = await ListAsync();
        Assert.Equal(points, copies);
        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
        Run restored = await _obengine.OnVaultAsync("restore", "latest", "--to", _obengine.Folder["target"]);
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Empty(TreeComparer.Compare(_obengine.Source, _obengine.Folder["target"] + _obengine.Source));
    }

    private string[] Copy => ["vault", "copy", _obengine.Vault, _twin, "--passphrase-file", _obengine.PassphraseFile];

    private async Task<bool> KillCopyAsync()
    {
        using Process process = _obengine.Start([.. Copy, "--json"]);
        Task<Run> running = Obengine.FinishAsync(process);
        await Task.WhenAny(running, Task.Delay(_random.Next(250, 1500), Stop));
        process.Kill();
        Run run = await running;
        Assert.True(run.ExitCode is 0 or Run.Killed, $"{run}");
        return run.ExitCode == Run.Killed;
    }

    private Task<Run> MaintainAsync(string vault) => _obengine.RunAsync(["maintain", "--vault", vault, "--passphrase-file", _obengine.PassphraseFile, "--quiet"]);

    private async Task<string[]> ListAsync() =>
        [.. (await _obengine.JsonAsync("points")).Where(line => line.GetProperty("type").GetString() == "point").Select(line => line.GetProperty("id").GetString()!)];
}
