using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>A vault that keeps parity, with an object of every kind.</summary>
public sealed class VaultOfEveryKind : IAsyncLifetime
{
    private const string Later = "a passphrase of a later key";

    internal MaintainedVault Vault { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Vault = await PrepareAsync();

    public ValueTask DisposeAsync()
    {
        Vault.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3, 4, 5]);
        RecoveryPoint deleted = await vault.BackUpAsync([1, 7, 8], machine: "other");
        await vault.BackUpAsync([1, 7, 8, 9], machine: "other");
        RecoveryPoint gone = await vault.BackUpAsync([30, 31], machine: "third");
        await vault.DropAsync(gone);
        await vault.SetParityAsync(25);
        await vault.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 });
        await vault.DeleteAsync(deleted);
        vault.Forget(deleted);
        using UnlockedVault unlocked = await vault.Backups.OpenAsync();
        await unlocked.AddKeyAsync("another passphrase of it", "second", Cancel);
        await new CredentialRegister(unlocked.Vault.Known).IssueAsync(vault.Backups.Owner.Key, "here", "name", CredentialRegister.DefaultValidity, Cancel);
        await VaultRecords.AppendAsync(unlocked.Vault.Known, vault.Backups.Owner.Key, new VaultRecord { Kind = VaultRecord.Feature, Name = "example", NeededTo = [] }, Cancel);
        await unlocked.Vault.Guard.IssuePinAsync(vault.Backups.Owner.Key, Cancel);
        await unlocked.Vault.Guard.IssuePinAsync(vault.Backups.Owner.Key, Cancel);
        IReadOnlyList<string> consents = vault.Names(StoredKind.Consent);
        await vault.Backups.Objects.TryCreateAsync($"{consents[0]}.over", "{}"u8.ToArray(), Cancel);
        await vault.Backups.Objects.TryCreateAsync($"{consents[1]}.used", "{}"u8.ToArray(), Cancel);
        await unlocked.WriteStatusAsync(new RunStatus { Machine = "other", Policy = "files", Outcome = RunOutcome.Failed, AgentVersion = "1" }, Cancel);
        var group = new GroupRecord { Id = new string('5', 32), Name = "web", Changed = vault.Clock.GetUtcNow(), DiskVaults = ["/pool/a"] };
        await unlocked.TryWriteGroupAsync(new NumberedGroup(1, group), Cancel);
        await unlocked.TryWriteGroupAsync(new NumberedGroup(2, group with { Name = "web servers" }), Cancel);
        await unlocked.RotateKeyAsync(Later, Cancel);
        vault.Backups.CurrentPassphrase = Later;
        RecoveryPoint last = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.MaintainAsync(new MaintenanceRequest { MaxRepackBytes = 0 });

        // A checkpoint that its job has left behind.
        ChunkStore store = await vault.OpenStoreAsync();
        string checkpoint = VaultLayout.Checkpoint(store.StoreId, last.SessionId, 1);
        RecoveryPoint job = last with { Status = RecoveryPointStatus.InProgress };
        vault.Objects.SetContent(checkpoint, SealedObject.Seal(store.Keys, SealedObjectKind.Checkpoint, checkpoint, RecoveryPointCodec.Encode(job)));
        return vault;
    }
}
