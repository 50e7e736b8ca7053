using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>A vault by its states: opened, unlocked, indexed.</summary>
public sealed class OpenedStatesTests : IDisposable
{
    private const string Later = "a later passphrase";

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task A_vault_that_was_closed_has_no_key_and_does_nothing_with_zeroes()
    {
        _backups.Tree.File("file", 1000);
        UnlockedVault vault = await _backups.OpenAsync();
        RecoveryPoint point = (await vault.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel)).Point;
        IndexedVault index = await vault.IndexAsync(Cancel);
        string[] before = [.. _backups.Objects.Names];
        byte[] key = vault.Key.MasterKey;

        vault.Dispose();

        Assert.All(key, value => Assert.Equal(0, value));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await index.ListItemsAsync(point, null, recursive: true, Cancel).CountAsync(Cancel));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => vault.BackUpAsync(_backups.Job(_backups.Root), new JobMonitor(), Cancel));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => vault.AddKeyAsync(Later, null, Cancel));
        Assert.DoesNotContain(_backups.Objects.Names.Except(before), name => name.Contains("/packs/", StringComparison.Ordinal) || name.Contains("/points/", StringComparison.Ordinal) || name.StartsWith("keys/", StringComparison.Ordinal));
        vault.Dispose();
    }

    [Fact]
    public async Task A_key_that_was_handed_in_outlives_the_vault_that_it_opened()
    {
        using UnlockedVault first = await _backups.OpenAsync();
        (await TestVault.UnlockAsync(_backups.Objects, first.Key, _backups.Options, Cancel)).Dispose();

        using UnlockedVault second = await TestVault.UnlockAsync(_backups.Objects, first.Key, _backups.Options, Cancel);

        Assert.Equal(first.Key.MasterKey, second.Key.MasterKey);
    }

    [Fact]
    public async Task Key_slots_that_came_or_went_since_the_vault_was_opened_count()
    {
        using UnlockedVault other = await _backups.OpenAsync();
        Vault vault = await Vault.OpenAsync(_backups.Objects, _backups.Options, Cancel);
        await other.ChangeKeyAsync(Later, Cancel);

        (await vault.UnlockAsync(Later, Cancel)).Dispose();
        (await vault.UnlockAsync(other.Key, Cancel)).Dispose();

        Vault again = await Vault.OpenAsync(_backups.Objects, _backups.Options, Cancel);
        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => again.UnlockAsync(Passphrase, Cancel))).Id);
    }

    [Theory]
    [InlineData(VaultUse.Read)]
    [InlineData(VaultUse.Write)]
    public async Task A_passphrase_that_is_refused_leaves_nothing_under_way(VaultUse use)
    {
        _backups.Tree.File("file", 1000);
        await _backups.BackUpAsync();
        var store = new UnlistedStore(_backups.Objects);
        Vault vault = await Vault.OpenAsync(store, _backups.Options, Cancel);

        Assert.Equal(BackupErrorId.PassphraseRejected, (await Assert.ThrowsAsync<BackupException>(() => vault.UnlockAsync(Later, Cancel, use))).Id);

        await store.GivenUp.WaitAsync(TestStores.HangGuard, Cancel);
    }

    [Fact]
    public async Task An_index_is_current_until_others_add_to_it_or_something_cannot_be_read()
    {
        _backups.Tree.File("file", 100_000);
        RecoveryPoint point = (await _backups.BackUpAsync()).Point;
        using UnlockedVault vault = await _backups.OpenAsync();
        IndexedVault index = await vault.IndexAsync(Cancel);
        Assert.True(await index.IsCurrentAsync(Cancel));
        Assert.Equal(2, await index.ListItemsAsync(point, null, recursive: true, Cancel).CountAsync(Cancel));
        Assert.True(await index.IsCurrentAsync(Cancel));

        _backups.Tree.File("more", 100_000, seed: 1);
        await _backups.BackUpAsync();

        Assert.False(await index.IsCurrentAsync(Cancel));
        index = await vault.IndexAsync(Cancel);
        Assert.True(await index.IsCurrentAsync(Cancel));
        foreach (string pack in _backups.Packs)
        {
            _backups.Objects.Damage(pack, content => new byte[content.Length]);
        }

        await Assert.ThrowsAsync<BackupException>(async () => await index.ListItemsAsync(point, null, recursive: true, Cancel).CountAsync(Cancel));
        Assert.False(await index.IsCurrentAsync(Cancel));
    }

    [Fact]
    public async Task A_verification_finds_what_an_earlier_reader_of_the_same_index_has_passed_over()
    {
        _backups.Tree.File("file", 100_000);
        RecoveryPoint point = (await _backups.BackUpAsync()).Point;
        foreach (string pack in _backups.Packs)
        {
            _backups.Objects.Damage(pack, content => new byte[content.Length]);
        }

        using UnlockedVault vault = await _backups.OpenAsync();
        IndexedVault fresh = await vault.IndexAsync(Cancel);
        IndexedVault used = await vault.IndexAsync(Cancel);
        await Assert.ThrowsAsync<BackupException>(async () => await used.ListItemsAsync(point, null, recursive: true, Cancel).CountAsync(Cancel));

        VerifyReport expected = await fresh.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
        VerifyReport found = await used.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);

        Assert.NotEmpty(expected.Findings);
        Assert.Equal(expected.Findings.Select(finding => finding.Object).Order(), found.Findings.Select(finding => finding.Object).Order());
    }

    /// <summary>Never lists a chunk store, until nobody wants it any more.</summary>
    private sealed class UnlistedStore(IVaultStore inner) : IVaultStore
    {
        private readonly TaskCompletionSource _givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task GivenUp => _givenUp.Task;

        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(
            string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (prefix.StartsWith(VaultLayout.Stores, StringComparison.Ordinal))
            {
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                }
                finally
                {
                    _givenUp.TrySetResult();
                }
            }

            await foreach (StoredObject found in inner.ListAsync(prefix, cancellationToken))
            {
                yield return found;
            }
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
