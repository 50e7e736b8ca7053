using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Pipes;

/// <summary>Whole jobs over a pipe, and what a peer that is limited to a machine may do.</summary>
public sealed class PipeAccessTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Source => _folder["source"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Backup_restore_verification_and_maintenance_work_over_a_pipe()
    {
        FolderVault vault = await CreateAsync();
        vault.Decorate = store => LoopbackPipe.StoreOver(store);

        BackupResult first = await vault.BackUpAsync(Source);
        await File.WriteAllTextAsync(Path.Combine(Source, "more"), "more", Stop);
        BackupResult second = await vault.BackUpAsync(Source);
        UnlockedVault opened = await vault.OpenAsync();
        await opened.MaintainAsync(new MaintenanceRequest(), new JobMonitor(), Stop);

        Assert.Empty(await vault.VerifyAsync());
        await RestoresAsync(vault, second.Point);
        Assert.Equal(2, (await vault.PointsAsync()).Count);
        Assert.NotEqual(first.Point.SessionId, second.Point.SessionId);
    }

    [Fact]
    public async Task A_peer_that_is_limited_to_its_machine_backs_up_and_restores_and_deletes_nothing()
    {
        FolderVault vault = await CreateAsync();
        vault.Decorate = store => LoopbackPipe.StoreOver(store, (served, stop) => PipeAccess.ForMachinesAsync(served, ["m"], stop));

        await vault.BackUpAsync(Source);
        await File.WriteAllTextAsync(Path.Combine(Source, "more"), "more", Stop);
        BackupResult second = await vault.BackUpAsync(Source);

        Assert.Empty(vault.Warnings);
        Assert.Empty(await vault.VerifyAsync());
        await RestoresAsync(vault, second.Point);
    }

    [Fact]
    public async Task Another_machine_s_name_is_refused()
    {
        FolderVault vault = await CreateAsync();
        vault.Decorate = store => LoopbackPipe.StoreOver(store, (served, stop) => PipeAccess.ForMachinesAsync(served, ["other"], stop));

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source));

        Assert.Equal(BackupErrorId.VaultAccessDenied, error.Id);
        Assert.Contains("another machine", error.Message, StringComparison.Ordinal);
        vault.Decorate = store => store;
        Assert.Empty(await vault.PointsAsync());
    }

    [Fact]
    public async Task What_no_backup_needs_is_refused_by_its_name()
    {
        FolderVault vault = await CreateAsync();
        await vault.BackUpAsync(Source);
        var store = new FolderVaultStore(vault.Folder);
        await File.WriteAllTextAsync(Path.Combine(vault.Folder, "stranger"), "a stranger's", Stop);
        string group = $"stores/{Path.GetFileName(Directory.GetDirectories(Path.Combine(vault.Folder, "stores"))[0])}/groups/{new string('8', 32)}-00000001";
        Assert.True(await store.TryCreateAsync(group, new byte[1], Stop));
        List<string> names = await store.ListAsync("", Stop).Select(found => found.Name).ToListAsync(Stop);
        using PipedVaultStore peer = LoopbackPipe.StoreOver(store, (served, stop) => PipeAccess.ForMachinesAsync(served, ["m"], stop));

        foreach (string name in names)
        {
            await DeniedAsync(() => peer.DeleteAsync(name, Stop).AsTask());
        }

        string foreign = new('7', 32);
        string id = names.First(name => name.StartsWith("stores/", StringComparison.Ordinal)).Split('/')[1];
        string session = names.First(name => name.Contains("/points/", StringComparison.Ordinal)).Split('/')[^1];
        string machine = names.First(name => name.Contains("/points/", StringComparison.Ordinal)).Split('/')[^2];
        foreach (string name in new[]
        {
            "stranger-2", "settings/00000009", "credentials/00000009", "records/00000009", "consents/00000009", "keys/order/00000009", $"keys/{id}/{foreign}",
            $"machines/{foreign}/00000001", $"status/{foreign}/files/00000001", $"stores/{id}/points/{foreign}/{session}", $"stores/{id}/points/{machine}/{foreign}",
            $"stores/{id}/sessions/{session}.end", $"stores/{id}/packs/01/{session}-00000901", $"stores/{id}/index/{session}-00000901",
            $"stores/{id}/checkpoints/{session}-00000901", $"stores/{id}/commits/{machine}/{foreign}", $"stores/{id}/deleted/{machine}/{session}-00000001",
            $"stores/{id}/gc/{foreign}-00000001.condemned", $"stores/{id}/parity/{session}-00000001.group", $"probes/{foreign}", $"stores/{id}/groups/{foreign}-00000001",
        })
        {
            await DeniedAsync(() => peer.TryCreateAsync(name, new byte[1], Stop).AsTask());
        }

        await DeniedAsync(() => peer.StatAsync("stranger", Stop).AsTask());
        await DeniedAsync(() => peer.ReadAsync("stranger", 0, new byte[1], Stop).AsTask());
        await DeniedAsync(() => peer.StatAsync(group, Stop).AsTask());
        await DeniedAsync(() => peer.ReadAsync(group, 0, new byte[1], Stop).AsTask());
        Assert.Equal(names.Where(name => name != "stranger" && name != group).Order(), (await peer.ListAsync("", Stop).Select(found => found.Name).ToListAsync(Stop)).Order());
        Assert.Equal(names.Order(), (await store.ListAsync("", Stop).Select(found => found.Name).ToListAsync(Stop)).Order());
    }

    [Fact]
    public async Task A_limited_peer_makes_no_vault()
    {
        var store = new MemoryVaultStore();
        await Vault.CreateAsync(store, Obengine.Passphrase, new VaultOptions { KeyDerivationIterations = 1000 }, Stop);
        using var peer = new PipedVaultStore(
            "vault", async stop => await LoopbackPipe.OpenAsync(store, (served, admit) => PipeAccess.ForMachinesAsync(served, ["m"], admit), stop: stop), creates: true);

        await DeniedAsync(() => peer.StatAsync(VaultLayout.Header, Stop).AsTask());
    }

    private async Task<FolderVault> CreateAsync()
    {
        new SourceTreeBuilder(Source).Describe("f a 10\nf folder/b 300K\nd empty\nf folder/large 9M");
        return await FolderVault.CreateAsync(_folder["vault"]);
    }

    private async Task RestoresAsync(FolderVault vault, RecoveryPoint point)
    {
        string target = _folder["restored"];
        await vault.RestoreAsync(point, target);
        foreach (string file in Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(await File.ReadAllBytesAsync(file, Stop), await File.ReadAllBytesAsync(target + file, Stop));
        }
    }

    private static async Task DeniedAsync(Func<Task> call)
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(call);
        Assert.True(error.Id == BackupErrorId.VaultAccessDenied, error.ToString());
        Assert.False(error.IsTransient);
    }
}
