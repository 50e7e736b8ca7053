using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Many machines in one vault, at once.</summary>
public sealed class ManyMachinesTests : IDisposable
{
    private const int Limit = 50;
    private const int Groups = 5;

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task Fifty_register_and_back_up_at_once_and_the_next_one_comes_in_when_another_has_left()
    {
        string credential = await _agents.IssueAsync();
        Directory.CreateDirectory(_agents["common"]);
        await File.WriteAllBytesAsync(Path.Combine(_agents["common"], "large"), Random(0, 1 << 20), Cancel);

        // Of each passphrase there are several, which share what they store.
        RecoveryPoint[] points =
        [
            .. await Task.WhenAll(Enumerable.Range(0, Groups).Select(i => Task.Run(() => ComeAsync(i, credential)))),
            .. await Task.WhenAll(Enumerable.Range(Groups, Limit - Groups).Select(i => Task.Run(() => ComeAsync(i, credential)))),
        ];

        BackupException full = await Assert.ThrowsAsync<BackupException>(() => ComeAsync(Limit, credential));
        Assert.Equal((BackupErrorId.MachineLimitReached, "403"), (full.Id, full.ErrorCode));
        var store = new FolderVaultStore(_agents.Vault);
        Assert.Equal(Enumerable.Range(0, Limit).Select(NameOf), (await TestVault.ListMachinesAsync(store, Cancel)).Select(machine => machine.Name));
        Assert.Equal(points.Length, points.Select(point => point.SessionId).Distinct().Count());
        for (int group = 0; group < Groups; group++)
        {
            UnlockedVault vault = await TestVault.UnlockAsync(store, PassphraseOf(group), new VaultOptions { Workers = 2 }, Cancel);
            Assert.Empty((await vault.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel)).Findings);
            Assert.Equal(Limit / Groups, (await vault.ListPointsAsync(null, Cancel)).Count);
            for (int i = group; i < Limit; i += Groups)
            {
                Assert.Equal(points[i].SessionId, Assert.Single(await vault.ListPointsAsync(NameOf(i), Cancel)).SessionId);
            }

            var request = new RestoreRequest { Point = points[group], Paths = [], TargetFolder = _agents["restored", $"{group}"] };
            await vault.RestoreAsync(request, new JobMonitor(), Cancel);
            Assert.Empty(TreeComparer.Compare(OwnOf(group), _agents["restored", $"{group}"] + OwnOf(group)));
        }

        await _agents.Open("ISSUER").Ownership.UnregisterMachineAsync(_agents.Vault, NameOf(7), owner: null, Cancel);
        await ComeAsync(Limit, credential);
    }

    [Fact]
    public async Task The_same_data_of_a_second_machine_take_less_than_a_twentieth_more_with_its_passphrase_and_as_much_again_with_another()
    {
        var tree = new SourceTreeBuilder(_agents["source"]);
        tree.Describe("f a 6M\nf b 3M").Populate(seed: 5, items: 60);
        long empty = await SizeAsync();
        await BackUpAsync("FIRST", Passphrase);
        long one = await SizeAsync() - empty;

        await BackUpAsync("SECOND", Passphrase);
        long two = await SizeAsync() - empty;
        Assert.InRange(two, one, one + (one / 20));

        await BackUpAsync("THIRD", Other);
        Assert.InRange(await SizeAsync() - empty, two + (one * 19 / 20), two + (one * 21 / 20));

        async Task BackUpAsync(string machine, string passphrase)
        {
            UnlockedVault vault = await (await _agents.ActivateAsync(machine, passphrase)).OpenEngineAsync(Cancel);
            await vault.BackUpAsync(RequestOf(machine, _agents["source"]), new JobMonitor(), Cancel);
        }
    }

    private string OwnOf(int machine) => _agents[NameOf(machine)];

    private static string NameOf(int machine) => $"MACHINE-{machine:00}";

    private static string PassphraseOf(int machine) => $"the passphrase of group {machine % Groups}";

    private static byte[] Random(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static BackupRequest RequestOf(string machine, params string[] sources) => new()
    {
        MachineName = machine,
        Sources = [.. sources.Select(source => new BackupSource.Tree(source, SourceSelection.Everything))],
        MustBeRegistered = true,
    };

    private async Task<RecoveryPoint> ComeAsync(int machine, string credential)
    {
        BackupAgent agent = _agents.Open(NameOf(machine));
        await agent.Machine.RegisterAsync(credential, Cancel);
        await agent.Machine.Key.SetPassphraseAsync(PassphraseOf(machine), Cancel);
        string own = Directory.CreateDirectory(OwnOf(machine)).FullName;
        await File.WriteAllBytesAsync(Path.Combine(own, "file"), Random(machine + 1, 20_000), Cancel);
        using UnlockedVault vault = await agent.OpenEngineAsync(Cancel);
        return (await vault.BackUpAsync(RequestOf(NameOf(machine), own, _agents["common"]), new JobMonitor(), Cancel)).Point;
    }

    private async Task<long> SizeAsync() =>
        Directory.Exists(_agents.Vault) ? await new FolderVaultStore(_agents.Vault).ListAsync("", Cancel).Select(found => found.Length).SumAsync(Cancel) : 0;
}
