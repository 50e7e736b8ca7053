using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>What no point needs is deleted, and nothing else.</summary>
public sealed class CollectorTests
{
    private static readonly MaintenanceRequest _nothingWritten = new() { MaxRepackBytes = 0 };

    [Fact]
    public async Task A_vault_of_which_all_is_needed_stays_as_it_is()
    {
        using var vault = new MaintainedVault();
        await vault.BackUpAsync([1, 2, 3]);
        await vault.BackUpAsync([1, 2, 4]);
        IReadOnlyList<string> before = vault.Names(StoredKind.Pack);

        MaintenanceReport report = await vault.MaintainAsync(_nothingWritten);

        Assert.Equal((0, 0L, 0), (report.Packs.Deleted, report.Packs.BytesFreed, report.Packs.Condemned));
        Assert.Empty(report.Findings);
        Assert.Equal(before, vault.Names(StoredKind.Pack));
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
    }

    [Fact]
    public async Task What_no_point_needs_any_more_is_deleted_in_one_run_where_nobody_is_at_work()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.BackUpAsync([11, 12], machine: "other");
        long before = vault.PackBytes;
        await vault.DropAsync(gone);

        MaintenanceReport report = await vault.MaintainAsync(_nothingWritten);

        Assert.True(report.Packs.Deleted > 0);
        Assert.Equal(before - vault.PackBytes, report.Packs.BytesFreed);
        Assert.Equal(0, report.Packs.Condemned);
        await vault.AssertWholeAsync();
        await vault.MaintainAsync(_nothingWritten);
        await vault.AssertTidyAsync();
    }

    [Fact]
    public async Task A_rehearsal_says_what_would_go_and_changes_nothing()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.BackUpAsync([11, 12], machine: "other");
        await vault.DropAsync(gone);
        IReadOnlyList<string> before = vault.Objects.Names;

        MaintenanceReport planned = await vault.MaintainAsync(new MaintenanceRequest { IsRehearsal = true, MaxRepackBytes = 0 });

        Assert.Equal(before, vault.Objects.Names);
        MaintenanceReport done = await vault.MaintainAsync(_nothingWritten);
        Assert.Equal((planned.Packs.Condemned, planned.Packs.BytesCondemned), (done.Packs.Deleted, done.Packs.BytesFreed));
    }

    [Fact]
    public async Task Of_a_pack_that_is_mostly_unneeded_the_rest_is_written_anew()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4, 5, 6, 7, 8]);
        await vault.BackUpAsync([1, 8, 20]);
        await vault.DropAsync(gone);
        long before = vault.PackBytes;

        MaintenanceReport report = await vault.MaintainAsync();

        Assert.True(report.Packs.Repacked > 0 && report.Packs.BytesRepacked > 0);
        Assert.True(vault.PackBytes < before / 2, $"{before} to {vault.PackBytes}");
        await vault.AssertWholeAsync();
        await vault.MaintainAsync();
        await vault.AssertTidyAsync();
    }

    [Fact]
    public async Task Many_small_packs_and_segments_become_few()
    {
        using var vault = new MaintainedVault();
        for (int i = 0; i < 20; i++)
        {
            await vault.BackUpAsync([.. Enumerable.Range(10, i + 1).Select(number => 9 * number)]);
        }

        int packs = vault.Names(StoredKind.Pack).Count;
        int segments = vault.Names(StoredKind.Segment).Count;

        await vault.MaintainAsync();
        await vault.MaintainAsync();

        Assert.True(vault.Names(StoredKind.Pack).Count < packs / 3, $"{packs} to {vault.Names(StoredKind.Pack).Count}");
        Assert.True(vault.Names(StoredKind.Segment).Count < segments / 3, $"{segments} to {vault.Names(StoredKind.Segment).Count}");
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();
    }

    [Fact]
    public async Task Of_what_two_machines_have_stored_at_once_one_copy_stays()
    {
        using var vault = new MaintainedVault();
        int[] contents = [1, 2, 3, 4, 5];
        await vault.CreateAsync();
        var late = new PausedVaultStore(
            vault.Objects, 1, () => vault.BackUpAsync(contents, machine: "first"), (call, name) => call == VaultCall.Create && VaultLayout.KindOf(name, out _) == StoredKind.Pack);
        await vault.BackUpAsync(contents, late, "second");
        long before = vault.PackBytes;

        await vault.MaintainAsync();

        Assert.True(vault.PackBytes < before * 2 / 3, $"{before} to {vault.PackBytes}");
        await vault.AssertWholeAsync();
    }

    [Theory]
    [InlineData(".wait")]
    [InlineData(".verdict")]
    [InlineData(".done")]
    public async Task Who_was_taken_for_dead_while_others_ended_what_it_had_begun_is_told_so_or_ends_well(string record)
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3]);
        await vault.BackUpAsync([1, 11]);
        await vault.DropAsync(gone);

        // The others say first what is to be said; and remove it, for it is over, before this one has read it.
        bool IsOf(string name) => name.Contains("/gc/", StringComparison.Ordinal) && name.EndsWith(record, StringComparison.Ordinal);
        var read = new PausedVaultStore(vault.Objects, 1, EndAsync, (call, name) => call == VaultCall.Stat && IsOf(name));
        var asleep = new PausedVaultStore(read, 1, () => vault.MaintainAsync(MaintainedVault.Impatient), (call, name) => call == VaultCall.Create && IsOf(name));
        try
        {
            await vault.MaintainAsync(through: asleep);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SessionFenced)
        {
            Assert.True(e.IsTransient);
        }

        // Nobody reads the last word: that it was said is enough.
        Assert.True((record == ".done" ? asleep : read).Calls > 0);
        await EndAsync();
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();

        async Task EndAsync()
        {
            await vault.DropAsync(await vault.BackUpAsync([21, 22, 23]));
            for (int i = 0; i < 3; i++)
            {
                await vault.MaintainAsync(MaintainedVault.Impatient);
            }
        }
    }

    [Fact]
    public async Task Who_decides_after_others_have_ended_the_collection_deletes_nothing()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3]);
        await vault.BackUpAsync([1, 11]);
        await vault.DropAsync(gone);
        var deleted = new List<string>();
        var watched = new WatchedVaultStore(vault.Objects, _ => { }, name =>
        {
            deleted.Add(name);
            return Task.CompletedTask;
        });
        var asleep = new PausedVaultStore(watched, 1, EndAsync, (call, name) =>
            call == VaultCall.Create && name.Contains("/gc/", StringComparison.Ordinal) && name.EndsWith(".verdict", StringComparison.Ordinal));

        BackupException told = await Assert.ThrowsAsync<BackupException>(() => vault.MaintainAsync(through: asleep));

        Assert.Equal(BackupErrorId.SessionFenced, told.Id);
        Assert.DoesNotContain(deleted, name => VaultLayout.KindOf(name, out _) == StoredKind.Pack);
        await EndAsync();
        await vault.AssertWholeAsync();
        await vault.AssertTidyAsync();

        async Task EndAsync()
        {
            for (int i = 0; i < 2; i++)
            {
                await vault.DropAsync(await vault.BackUpAsync([21, 22, 23]));
                await vault.MaintainAsync(MaintainedVault.Impatient);
                await vault.MaintainAsync(MaintainedVault.Impatient);
            }
        }
    }

    [Fact]
    public async Task Where_a_manifest_cannot_be_read_nothing_is_deleted()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3]);
        RecoveryPoint broken = await vault.BackUpAsync([11, 12], machine: "other");
        await vault.BackUpAsync([21], machine: "third");
        await vault.DropAsync(gone);
        foreach (string pack in vault.Names(StoredKind.Pack).Where(name => name.Contains(broken.SessionId.ToString(), StringComparison.Ordinal)))
        {
            vault.Objects.Damage(pack, content => [.. content.Select((b, i) => i is > 100 and < 4000 ? (byte)~b : b)]);
        }

        IReadOnlyList<string> before = vault.Names(StoredKind.Pack);
        MaintenanceReport report = await vault.MaintainAsync();

        Assert.NotEmpty(report.Findings);
        Assert.Equal(before, vault.Names(StoredKind.Pack));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(20, true)]
    [InlineData(100, true)]
    public async Task A_point_that_is_lost_keeps_its_data_until_somebody_has_decided(int days, bool areCommitsListed)
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint lost = await vault.BackUpAsync([1, 2, 3]);
        await vault.BackUpAsync([11], machine: "other");
        string name = vault.Names(StoredKind.Point).Single(name => name.EndsWith(lost.SessionId.ToString(), StringComparison.Ordinal));
        byte[] content = vault.Objects.GetContent(name);
        vault.Objects.Remove(name);
        IReadOnlyList<string> before = vault.Names(StoredKind.Pack);
        var listed = new PartlyListedVaultStore(vault.Objects, name => !areCommitsListed && VaultLayout.KindOf(name, out _) == StoredKind.Commit);

        // Nobody looks for as long as it takes that its session counts for dead, and its record goes.
        vault.Clock.Advance(TimeSpan.FromDays(days));
        for (int run = 0; run < 3; run++)
        {
            MaintenanceReport report = await vault.MaintainAsync(through: listed);
            vault.Clock.Advance(TimeSpan.FromDays(days));
            Assert.True(report.Findings.Any(finding => finding.Object == name) || !areCommitsListed, $"Run {run}");
        }

        VerifyReport verified = await vault.VerifyAsync();
        Assert.Contains(verified.Findings, finding => finding.Object == name);
        Assert.Equal(before, vault.Names(StoredKind.Pack));
        Assert.DoesNotContain(name, vault.Objects.Names);

        // It is brought back from a copy of the vault.
        vault.Objects.SetContent(name, content);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_copy_that_does_not_open_is_never_the_one_that_stays()
    {
        using var vault = new MaintainedVault { IsDamaged = true };
        RecoveryPoint first = await vault.BackUpAsync([1, 2, 3]);
        string pack = vault.Names(StoredKind.Pack).Where(name => name.Contains(first.SessionId.ToString(), StringComparison.Ordinal))
            .MaxBy(name => vault.Objects.GetContent(name).Length)!;
        byte[] sound = vault.Objects.GetContent(pack);

        // The other machine cannot see the pack, and stores all of it again; then the pack is back, and damaged.
        vault.Objects.Remove(pack);
        await vault.BackUpAsync([1, 2, 3], machine: "other");
        vault.Objects.SetContent(pack, [.. sound.Select((b, i) => i is > 100 and < 200 ? (byte)~b : b)]);

        await vault.MaintainAsync();
        await vault.MaintainAsync();

        using UnlockedVault unlocked = (await vault.OpenAsync()).Vault;
        IndexedVault opened = await unlocked.IndexAsync(TestContext.Current.CancellationToken);
        foreach (RecoveryPoint point in vault.Points)
        {
            await vault.AssertHoldsAsync(opened, point);
        }
    }

    [Fact]
    public async Task A_deleted_point_comes_back_whole_whatever_was_collected_meanwhile()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint gone = await vault.BackUpAsync([1, 2, 3, 4]);
        RecoveryPoint deleted = await vault.BackUpAsync([4, 5, 6]);
        await vault.BackUpAsync([11]);
        await vault.DropAsync(gone);
        await vault.DeleteAsync(deleted);
        await vault.MaintainAsync();
        await vault.MaintainAsync();

        await vault.UndeleteAsync(deleted);

        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_only_deleted_points_need_goes_when_their_time_is_over()
    {
        using var vault = new MaintainedVault();
        RecoveryPoint deleted = await vault.BackUpAsync([1, 2, 3, 4, 5, 6]);
        await vault.BackUpAsync([11]);
        await vault.DeleteAsync(deleted);
        long before = vault.PackBytes;
        for (int day = 1; day <= 16; day++)
        {
            vault.Clock.Advance(TimeSpan.FromDays(1));
            MaintenanceReport report = await vault.MaintainAsync(_nothingWritten);
            bool isAsExpected = day <= 13
                ? report is { PointsGone: 0, Packs.Deleted: 0 } && vault.PackBytes == before
                : day <= 15 || vault.PackBytes < before / 2;
            Assert.True(isAsExpected, $"day {day}: {report}");
        }

        vault.Forget(deleted);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task Records_of_sessions_go_once_nobody_needs_their_word_for_the_time()
    {
        using var vault = new MaintainedVault();
        for (int i = 0; i < 5; i++)
        {
            await vault.BackUpAsync([1, 2]);
            await vault.MaintainAsync();
        }

        Assert.True(vault.Names(StoredKind.Session).Count >= 10);
        vault.Clock.Advance(TimeSpan.FromDays(41));
        await vault.MaintainAsync();

        Assert.Single(vault.Names(StoredKind.Session));
        await vault.AssertWholeAsync();
    }
}
