using MSOnlineBackup.Engine.Tests.Maintenance;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Statuses;

/// <summary>What runs leave in the vault, and what can be known of it by whom.</summary>
public sealed class StatusTests : IDisposable
{
    private const string Marker = "SourceNotFound";

    private readonly MaintainedVault _vault = new();

    private static RunStatus Failed => new() { Machine = Backup.BackupFixture.Machine, Policy = "files", Outcome = RunOutcome.Failed, Errors = [Marker], AgentVersion = "1", NextSeconds = 86_400, GraceSeconds = 7200 };

    [Theory]
    [InlineData(StatusForm.Sealed)]
    [InlineData(StatusForm.Plain)]
    [InlineData(StatusForm.Off)]
    public async Task Each_status_is_an_object_of_its_own_in_the_form_that_the_owner_has_chosen(StatusForm form)
    {
        await _vault.BackUpAsync([1]);
        await SetAsync(form);
        MonitoringCredential credential = await TellAsync(Failed, Failed);

        IReadOnlyList<string> names = _vault.Names(StoredKind.Status);
        Assert.Equal(form == StatusForm.Off ? 0 : 2, names.Count);
        if (form != StatusForm.Off)
        {
            Assert.EndsWith("/files/00000001", names[0]);
            Assert.Equal(form == StatusForm.Plain, System.Text.Encoding.UTF8.GetString(_vault.Objects.GetContent(names[0])).Contains(Marker));
        }

        Assert.Equal(form == StatusForm.Off ? null : RunOutcome.Failed, (await LookAsync(credential)).Outcome);
        Assert.Equal(form == StatusForm.Plain ? RunOutcome.Failed : null, (await LookAsync()).Outcome);
    }

    [Fact]
    public async Task An_observer_without_a_passphrase_knows_what_is_proved_and_what_cannot_be_read()
    {
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync(Failed);

        PolicyCompliance known = await LookAsync(credential);
        Assert.True(known is { State: ComplianceState.Failing, IsProved: true, Policy: "files" });
        PolicyCompliance unknown = await LookAsync();
        Assert.True(unknown is { State: ComplianceState.Ok, IsProved: false, Policy: null });
        Assert.Contains("sealed", unknown.Message);

        await SetAsync(StatusForm.Plain);
        await TellAsync(Failed);
        Assert.True(await LookAsync() is { State: ComplianceState.Failing, IsProved: false });
    }

    [Fact]
    public async Task Every_flipped_byte_of_a_status_is_seen_and_the_one_before_it_counts()
    {
        await _vault.BackUpAsync([1]);
        foreach (StatusForm form in new[] { StatusForm.Plain, StatusForm.Sealed })
        {
            await SetAsync(form);
            MonitoringCredential credential = await TellAsync(Failed, Failed with { Outcome = RunOutcome.Completed });
            string newest = _vault.Names(StoredKind.Status)[^1];
            Assert.Equal(RunOutcome.Completed, (await LookAsync(credential)).Outcome);
            byte[] sound = _vault.Objects.GetContent(newest);
            for (int at = 0; at < sound.Length; at++)
            {
                byte[] content = [.. sound];
                content[at] ^= 1;
                Assert.Null(StatusCodec.Decode([credential.Key], credential.Key.StoreId, credential.VaultId, newest, content).Status);
            }

            _vault.Objects.FlipBit(newest, 20);
            Assert.Equal(RunOutcome.Failed, (await LookAsync(credential)).Outcome);
            _vault.Objects.SetContent(newest, sound);
        }
    }

    [Fact]
    public async Task A_status_that_was_copied_to_another_number_or_machine_holds_nowhere_else()
    {
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync(Failed with { Outcome = RunOutcome.Completed }, Failed);
        string[] names = [.. _vault.Names(StoredKind.Status)];
        string next = names[^1][..^1] + "3";

        _vault.Objects.SetContent(next, _vault.Objects.GetContent(names[0]));

        Assert.Equal(RunOutcome.Failed, (await LookAsync(credential)).Outcome);
    }

    [Fact]
    public async Task Maintenance_leaves_the_newest_and_no_number_is_given_twice()
    {
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync([.. Enumerable.Repeat(Failed, StatusNames.Kept + 5), Failed with { Policy = "other" }]);

        await _vault.MaintainAsync(new MaintenanceRequest());
        await TellAsync(Failed);

        Assert.Equal(StatusNames.Kept + 2, _vault.Names(StoredKind.Status).Count);
        Assert.Contains(_vault.Names(StoredKind.Status), name => name.EndsWith($"/files/{StatusNames.Kept + 6:x8}", StringComparison.Ordinal));
        Assert.DoesNotContain(_vault.Names(StoredKind.Status), name => name.EndsWith("/files/00000005", StringComparison.Ordinal));
        Assert.Equal(RunOutcome.Failed, (await LookAsync(credential)).Outcome);
    }

    [Fact]
    public async Task A_monitoring_credential_is_a_file_that_opens_statuses_of_its_vault_and_of_no_other()
    {
        using var folder = new TempFolder();
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync(Failed);
        string file = folder["office.MonitoringCredential"];
        credential.Write(file);

        MonitoringCredential read = await MonitoringCredential.ReadAsync(file, Cancel);
        Assert.Equal(RunOutcome.Failed, (await LookAsync(read)).Outcome);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.Equal(BackupErrorId.MonitoringCredentialInvalid, Assert.Throws<BackupException>(() => credential.Write(file)).Id);
        using var another = new MaintainedVault();
        await another.BackUpAsync([1]);
        Vault other = await Vault.OpenAsync(another.Objects, new VaultOptions(), Cancel);
        Assert.Equal(BackupErrorId.MonitoringCredentialInvalid, Assert.Throws<BackupException>(() => other.Watch([read])).Id);
        await File.WriteAllTextAsync(file, "no credential", Cancel);
        Assert.Equal(BackupErrorId.MonitoringCredentialInvalid, (await Assert.ThrowsAsync<BackupException>(() => MonitoringCredential.ReadAsync(file, Cancel))).Id);
    }

    [Fact]
    public async Task A_credential_stays_good_when_the_master_key_is_rotated()
    {
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync(Failed);
        using (UnlockedVault vault = await _vault.Backups.OpenAsync())
        {
            await vault.RotateKeyAsync("a passphrase of a later key", Cancel);
        }

        _vault.Backups.CurrentPassphrase = "a passphrase of a later key";
        await TellAsync(Failed with { Outcome = RunOutcome.Paused });

        Assert.Equal(ComplianceState.Stopped, (await LookAsync(credential)).State);
    }

    [Fact]
    public void Nothing_else_follows_from_what_the_observer_has()
    {
        using var keys = new StoreKeys(new byte[32], new byte[16], Vaults.TestStores.Store);
        MonitoringKey monitoring = MonitoringKey.Of(keys);

        byte[][] others = [keys.MachinesKey(), keys.PackKey(new byte[32]), keys.ObjectKey(new byte[32]), keys.IdentityKey(1), monitoring.CodeKey, monitoring.SealKey];
        Assert.DoesNotContain(others, key => key.AsSpan().SequenceEqual(monitoring.Key));
        Assert.Equal(others.Length, others.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public async Task A_silent_machine_of_fifty_is_found()
    {
        using var folder = new TempFolder();

        await TestFleet.AssertSilenceIsFoundAsync(FolderVaultStore.Create(folder["vault"]), Cancel);
    }

    [Fact]
    public async Task What_an_observer_has_read_is_not_read_again()
    {
        await _vault.BackUpAsync([1]);
        MonitoringCredential credential = await TellAsync(Failed, Failed, Failed);
        var asked = new AskedVaultStore(_vault.Objects, isReadOnly: true);
        VaultWatch watch = (await Vault.OpenAsync(asked, new VaultOptions { TimeProvider = _vault.Clock }, Cancel)).Watch([credential]);
        await watch.LookAsync(Cancel);
        await TellAsync(Failed);
        int before = ReadStatuses(asked);

        await watch.LookAsync(Cancel);

        Assert.Equal(1, ReadStatuses(asked) - before);
    }

    public void Dispose() => _vault.Dispose();

    private static int ReadStatuses(AskedVaultStore asked) => asked.Asked.Count(name => name.StartsWith(VaultLayout.Statuses, StringComparison.Ordinal) && name != VaultLayout.Statuses);

    private async Task SetAsync(StatusForm form) =>
        await TestVault.ChangeSettingsAsync(_vault.Objects, _vault.Backups.Owner.Key, settings => settings with { Statuses = form }, Cancel);

    private async Task<MonitoringCredential> TellAsync(params RunStatus[] statuses)
    {
        using UnlockedVault vault = await _vault.Backups.OpenAsync();
        foreach (RunStatus status in statuses)
        {
            await vault.WriteStatusAsync(status, Cancel);
        }

        return vault.CreateMonitoringCredential();
    }

    private async Task<PolicyCompliance> LookAsync(params MonitoringCredential[] credentials)
    {
        Vault vault = await Vault.OpenAsync(_vault.Objects, new VaultOptions { TimeProvider = _vault.Clock }, Cancel);
        return (await vault.Watch(credentials).LookAsync(Cancel)).Policies.First(policy => policy.Policy != "other");
    }
}
