using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Parity;

/// <summary>Maintenance keeps parity: of what is there already, of what comes, and without what goes; whatever happens meanwhile.</summary>
public sealed class ParityMaintenanceTests
{
    private static readonly MaintenanceRequest _nothingWritten = new() { MaxRepackBytes = 0 };
    private static readonly MaintenanceRequest _nothingWrittenOrRead = new() { MaxRepackBytes = 0, VerifyDays = 0 };

    private static async Task<MaintainedVault> PrepareAsync()
    {
        var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.BackUpAsync([1, 6, 9], machine: "other");
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWritten);
        await vault.DropAsync(gone);
        return vault;
    }

    [Fact]
    public async Task A_vault_that_has_data_gets_parity_and_every_pack_comes_back()
    {
        using var vault = new MaintainedVault();
        await vault.BackUpAsync([1, 2, 3]);
        await vault.MaintainAsync();
        Assert.Empty(vault.ParityNames);

        await vault.SetParityAsync(5);
        MaintenanceReport report = await vault.MaintainAsync();

        Assert.Equal((vault.Names(StoredKind.Pack).Count, 0), (report.Parity.PacksProtected, report.Parity.PacksUnprotected));
        Assert.InRange(report.Parity.BytesWritten, 1, 2 * vault.PackBytes);
        await vault.AssertProtectedAsync();
        await vault.AssertWholeAsync();
        IReadOnlyList<string> before = vault.ParityNames;
        report = await vault.MaintainAsync();
        Assert.Equal(0, report.Parity.BytesWritten);
        Assert.Equal(before, vault.ParityNames);
    }

    [Fact]
    public async Task What_comes_later_is_added_and_where_nobody_wants_parity_any_more_it_goes()
    {
        using var vault = new MaintainedVault();
        await vault.SetParityAsync(5);
        for (int i = 0; i < 4; i++)
        {
            await vault.BackUpAsync([i, i + 1, 50 + i]);
            await vault.MaintainAsync(_nothingWritten);
            await vault.AssertProtectedAsync();
        }

        await vault.SetParityAsync(20);
        await vault.MaintainAsync(_nothingWritten);
        await vault.AssertProtectedAsync();
        await vault.SetParityAsync(0);
        MaintenanceReport report = await vault.MaintainAsync(_nothingWritten);
        Assert.Empty(vault.ParityNames);
        Assert.Equal((0, 0), (report.Parity.PacksProtected, report.Parity.PacksUnprotected));
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task Packs_that_go_leave_their_groups_before_they_are_deleted()
    {
        using MaintainedVault vault = await PrepareAsync();
        IReadOnlyList<string> before = vault.Names(StoredKind.Pack);
        var watched = new PausedVaultStore(
            vault.Objects,
            1,
            () => vault.AssertProtectedAsync(isGoing: true),
            (call, name) => call == VaultCall.Delete && name.Contains("/packs/", StringComparison.Ordinal));

        MaintenanceReport report = await vault.MaintainAsync(null, watched);

        Assert.True(watched.Calls > 0 && report.Packs.Deleted > 0 && vault.Names(StoredKind.Pack).Count < before.Count);
        await vault.AssertProtectedAsync();
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
    }

    [Fact]
    public async Task A_pack_that_is_lost_stays_in_its_group_until_it_is_brought_back()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3]);
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWrittenOrRead);
        string lost = vault.Names(StoredKind.Pack).MaxBy(name => vault.Objects.GetContent(name).Length)!;
        byte[] content = vault.Objects.GetContent(lost);
        await vault.BackUpAsync([20, 21], machine: "other");

        // Nobody meets the loss, so it does not come on record: maintenance does not bring the pack back by itself.
        vault.Objects.Remove(lost);
        await vault.MaintainAsync(_nothingWrittenOrRead);
        IReadOnlyList<string> parity = vault.ParityNames;
        await vault.MaintainAsync(_nothingWrittenOrRead);

        Assert.Equal(parity, vault.ParityNames);
        Assert.Equal(content, await vault.RescueAsync(lost, content.Length));
        vault.Objects.SetContent(lost, [.. content.Select((b, i) => i is > 1000 and < 9000 ? (byte)~b : b)]);
        await vault.SetParityAsync(10);
        await vault.MaintainAsync(_nothingWrittenOrRead);
        await vault.MaintainAsync(_nothingWrittenOrRead);
        Assert.Equal(content, await vault.RescueAsync(lost, content.Length));
    }

    [Theory]
    [InlineData(".group", true)]
    [InlineData(".shards", true)]
    [InlineData(".group", false)]
    [InlineData(".shards", false)]
    public async Task Parity_that_is_damaged_or_lost_is_told_costs_no_backup_and_is_written_anew(string suffix, bool isLost)
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3]);
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWritten);
        await vault.AssertWholeAsync();
        string broken = vault.ParityNames.First(name => name.EndsWith(suffix, StringComparison.Ordinal));
        if (isLost)
        {
            vault.Objects.Remove(broken);
        }
        else
        {
            vault.Objects.FlipBit(broken, vault.Objects.GetContent(broken).Length / 2);
        }

        // Of shards without a group nobody knows whether somebody is just writing it.
        bool isDamage = !isLost || suffix == ".shards";
        Assert.Equal(isDamage ? 1 : 0, (await vault.VerifyAsync()).Findings.Count(finding => finding.Object.Contains("/parity/", StringComparison.Ordinal)));
        await vault.BackUpAsync([4]);
        await vault.MaintainAsync(_nothingWritten);

        Assert.DoesNotContain(broken, vault.ParityNames);
        await vault.AssertProtectedAsync();
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_pack_that_is_another_than_the_one_that_parity_is_of_is_told()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3]);
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWritten);
        string pack = vault.Names(StoredKind.Pack)[0];

        // Nobody but who changes it on purpose gets the checksum right.
        vault.Objects.Damage(pack, content => Cryptography.TestKeys.WithChecksum([.. content.Select((b, i) => i == content.Length - 60 ? (byte)~b : b)]));

        Assert.Contains((await vault.VerifyAsync()).Findings, finding => finding.Object.Contains("/parity/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_vault_that_is_full_is_maintained_without_new_parity()
    {
        using MaintainedVault vault = await PrepareAsync();
        vault.IsDamaged = true;
        await vault.BackUpAsync([40, 41]);
        int before = vault.Names(StoredKind.Pack).Count;
        var full = new FullVaultStore(vault.Objects, name => name.Contains("/parity/", StringComparison.Ordinal));

        MaintenanceReport report = await vault.MaintainAsync(_nothingWritten, full);

        Assert.True(report.Packs.Deleted > 0 && vault.Names(StoredKind.Pack).Count < before);
        Assert.True(report.Parity.PacksUnprotected > 0);
        Assert.NotEmpty(report.Findings);
        await vault.MaintainAsync(_nothingWritten);
        await vault.AssertProtectedAsync();
    }

    [Fact]
    public async Task Where_nobody_knows_what_the_owner_wants_parity_stays_as_it_is()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        await vault.BackUpAsync([1, 2, 3]);
        await vault.SetParityAsync(5);
        await vault.MaintainAsync(_nothingWritten);
        IReadOnlyList<string> before = vault.ParityNames;
        Assert.All(vault.Names(StoredKind.Settings).TakeLast(2), name => vault.Objects.FlipBit(name, 3));

        await vault.MaintainAsync(_nothingWritten);

        Assert.Equal(before, vault.ParityNames);
    }

    [Fact]
    public Task A_maintenance_that_dies_at_any_moment_leaves_parity_that_the_next_makes_right() => AtEachCallAsync(
        _ => throw new BackupException(BackupErrorId.VaultUnreachable, "It died.", "A test."), isDeath: true);

    [Fact]
    public Task A_backup_at_any_moment_of_it() => AtEachCallAsync(vault => vault.BackUpAsync([2, 3, 4, 12]));

    [Fact]
    public Task Another_maintenance_at_any_moment_of_it() => AtEachCallAsync(async vault =>
    {
        await vault.MaintainAsync();
        await vault.BackUpAsync([3, 4]);
    });

    private static async Task AtEachCallAsync(Func<MaintainedVault, Task> meanwhile, bool isDeath = false)
    {
        int calls;
        using (MaintainedVault vault = await PrepareAsync())
        {
            await vault.BackUpAsync([30, 31]);
            var counting = new PausedVaultStore(vault.Objects, int.MaxValue, () => Task.CompletedTask);
            await vault.MaintainAsync(null, counting);
            calls = counting.Calls;
        }

        foreach (int at in Campaign.Spread(1, calls, 12))
        {
            using MaintainedVault vault = await PrepareAsync();
            await vault.BackUpAsync([30, 31]);
            try
            {
                var paused = new PausedVaultStore(vault.Objects, at, () => meanwhile(vault));
                Exception? death = await Record.ExceptionAsync(() => vault.MaintainAsync(null, paused));
                Assert.True(death is null || (isDeath && death is BackupException), $"{death}");
                await vault.AssertWholeAsync();
                for (int i = 0; i < 3; i++)
                {
                    await vault.MaintainAsync(MaintainedVault.Impatient);
                }

                await vault.AssertWholeAsync();
                await vault.AssertTidyAsync();
                await vault.AssertProtectedAsync();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"At call {at} of {calls}: {e.Message}", e);
            }
        }
    }
}
