using System.Diagnostics;
using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Campaigns.Crashes;

/// <summary>Backups into one vault, killed again and again at random moments, without a chance to tidy up.</summary>
public sealed class RepeatedKillTests : IDisposable
{
    private readonly Obengine _obengine = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _obengine.Dispose();

    [Fact]
    public async Task A_killed_backup_harms_nothing_and_what_had_arrived_is_not_sent_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        int rounds = Testing.Campaign.Rounds(usual: 2, full: 50);
        int finished = 0;
        var tree = new SourceTreeBuilder(_obengine.Source);
        for (int i = 0; i < 3000; i++)
        {
            tree.File($"small/{i % 40}/f{i}", 200 + (i * 7 % 9000), seed: i);
        }

        tree.File("large1", 70 << 20).File("large2", 45 << 20).File("between", 3 << 20);
        await _obengine.CreateVaultAsync();
        var random = new Random(20261121);
        int longest = 3000;
        for (int round = 1; round <= rounds; round++)
        {
            // One that is over before is followed by one that is waited for half as long.
            for (int wait = random.Next(300, longest); !await IsKilledAsync(wait); wait /= 2)
            {
                finished++;
            }

            Run verified = await _obengine.OnVaultAsync("verify", round % 10 == 0 ? "--read-data" : "--json");

            // 3: all that is amiss is that the newest job has no point.
            Assert.True(verified.ExitCode is 0 or 3, $"round {round}: {verified.Output}{verified.Error}");
            Assert.Equal(0, await CountRepeatedAsync());

            // A finished one, then changes: the next rounds kill incremental backups as well as first ones.
            if (round % 3 == 0)
            {
                await FinishAsync();
                longest = 1600;
                tree.File("large1", (60 << 20) + random.Next(20 << 20), seed: round).File($"small/{round % 40}/new{round}", 5000).Modified("between", round);
            }
        }

        await FinishAsync();
        Run restored = await _obengine.OnVaultAsync("restore", "latest", "--to", _obengine.Folder["target"]);
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Empty(TreeComparer.Compare(_obengine.Source, _obengine.Folder["target"] + _obengine.Source));
        Assert.Equal(0, (await _obengine.OnVaultAsync("verify", "--read-data")).ExitCode);
        TestContext.Current.TestOutputHelper?.WriteLine($"{rounds} backups killed, {finished} over before");
    }

    private async Task<bool> IsKilledAsync(int milliseconds)
    {
        using Process process = _obengine.StartOnVault("backup", _obengine.Source, "--json");
        Task<Run> running = Obengine.FinishAsync(process);
        await Task.WhenAny(running, Task.Delay(milliseconds, Stop));
        process.Kill();
        return (await running).ExitCode == Run.Killed;
    }

    private async Task FinishAsync()
    {
        JsonElement summary = (await _obengine.JsonAsync("backup", _obengine.Source))[^1];
        Assert.Equal(0, summary.GetProperty("skipped").GetInt64());
        Assert.Equal(0, await CountRepeatedAsync());
    }

    private async Task<int> CountRepeatedAsync() =>
        (await OpenedVault.OpenAsync(new FolderVaultStore(_obengine.Vault), Obengine.Passphrase, Stop)).CountRepeatedContents();
}
