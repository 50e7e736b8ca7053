using System.Text;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>Who may do what only the owner of a vault may do, and how that is shown.</summary>
public sealed class VaultOwnerTests : IDisposable
{
    private const string OwnerPassphrase = "the passphrase of the owner";

    private readonly AgentFixture _agents = new();

    private OwnerAccess Owner => new(_agents["Office.VaultOwner"], OwnerPassphrase);

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task The_machine_that_creates_a_vault_keeps_the_owners_key_and_no_other_machine_can_do_the_owners_work()
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        string folder = Directory.CreateDirectory(_agents["mine"]).FullName;

        foreach (Func<Task> attempt in new Func<Task>[]
        {
            () => alpha.Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 10_000 }, null, Cancel),
            () => alpha.Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel),
            () => alpha.Ownership.IssueCredentialAsync(_agents.Vault, folder, null, null, null, Cancel),
            () => alpha.Ownership.ExportKeyAsync(_agents.Vault, Owner, forgets: false, Cancel),
        })
        {
            BackupException fault = await FailsAsync(BackupErrorId.OwnerRequired, null, attempt);
            Assert.Contains("-OwnerFile", fault.RecommendedAction, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFiles(folder));
        Assert.Equal(50, (await alpha.Vaults.ReadSettingsAsync(_agents.Vault, Cancel)).MachineLimit);
        await _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 7 }, null, Cancel);
        Assert.Equal(7, (await alpha.Vaults.ReadSettingsAsync(_agents.Vault, Cancel)).MachineLimit);
    }

    [Fact]
    public async Task The_owners_file_and_its_passphrase_do_the_owners_work_from_any_machine()
    {
        await _agents.Open("ISSUER").Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner);

        // A key that is in a file is kept by no machine unless it is told to.
        await FailsAsync(BackupErrorId.OwnerRequired, null, () => _agents.IssueAsync());
        BackupAgent any = _agents.Open("ANY");
        string file = (await any.Ownership.IssueCredentialAsync(_agents.Vault, _agents[""], null, null, Owner, Cancel)).File;
        await _agents.Open().Machine.RegisterAsync(file, Cancel);
        Assert.Equal(3, (await any.Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 3 }, Owner, Cancel)).MachineLimit);
        await FailsAsync(
            BackupErrorId.PassphraseRejected,
            null,
            () => any.Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings, Owner with { Passphrase = AgentFixture.Passphrase }, Cancel));
    }

    // As 'obengine vault create' makes them.
    [Fact]
    public async Task The_owners_file_of_a_vault_without_a_name_opens_too()
    {
        using var key = OwnerKey.Create();
        var owner = new NewOwner(key, new string('1', 32), VaultName: null, "/mnt/vault", DateTimeOffset.UnixEpoch);
        OwnerFile.Write(Owner.File, owner, OwnerPassphrase, TestOptions.Quick);

        using OwnerKey opened = await OwnerFile.OpenAsync(Owner.File, OwnerPassphrase, owner.VaultId, Cancel);

        Assert.Equal(key.Identity, opened.Identity);
    }

    [Fact]
    public async Task A_kept_key_is_brought_to_a_file_and_then_forgotten()
    {
        await _agents.IssueAsync();
        BackupAgent issuer = _agents.Open("ISSUER");

        await issuer.Ownership.ExportKeyAsync(_agents.Vault, Owner, forgets: false, Cancel);
        await FailsAsync(BackupErrorId.OwnerFileInvalid, null, () => issuer.Ownership.ExportKeyAsync(_agents.Vault, Owner, forgets: true, Cancel));
        await issuer.Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 3 }, null, Cancel);
        await issuer.Ownership.ExportKeyAsync(_agents.Vault, Owner with { File = _agents["second"] }, forgets: true, Cancel);

        await FailsAsync(BackupErrorId.OwnerRequired, null, () => _agents.IssueAsync());
        foreach (string file in new[] { Owner.File, _agents["second"] })
        {
            await _agents.Open("ANY").Ownership.ChangeSettingsAsync(
                _agents.Vault, settings => settings with { MachineLimit = settings.MachineLimit + 1 }, Owner with { File = file }, Cancel);
        }

        Assert.Equal(5, (await issuer.Vaults.ReadSettingsAsync(_agents.Vault, Cancel)).MachineLimit);
    }

    [Fact]
    public async Task A_vault_whose_owners_file_cannot_be_written_is_not_created()
    {
        await File.WriteAllTextAsync(Owner.File, "another owner's", Cancel);

        await FailsAsync(BackupErrorId.OwnerFileInvalid, null, () => _agents.Open().Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner));
        await FailsAsync(
            BackupErrorId.OwnerFileInvalid,
            null,
            () => _agents.Open().Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner with { File = _agents["none/file"] }));
        await FailsAsync(
            BackupErrorId.PassphraseInvalid,
            null,
            () => _agents.Open().Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, new OwnerAccess(_agents["new"], "short")));

        Assert.Equal("another owner's", await File.ReadAllTextAsync(Owner.File, Cancel));
        Assert.False(File.Exists(Path.Combine(_agents.Vault, "vault.json")));
    }

    [Theory]
    [InlineData("CRLF")]
    [InlineData("byte order mark")]
    [InlineData("UTF-16")]
    [InlineData("more lines")]
    public async Task An_owners_file_and_a_credential_file_bear_what_editors_and_shells_do_to_texts(string treatment)
    {
        await _agents.Open("ISSUER").Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner, isKeptHere: true);
        string credential = await _agents.IssueAsync();
        foreach (string file in new[] { credential, Owner.File })
        {
            string text = await File.ReadAllTextAsync(file, Encoding.ASCII, Cancel);
            Assert.All(text, c => Assert.InRange(c, '\n', '~'));
            byte[] treated = treatment switch
            {
                "CRLF" => Encoding.ASCII.GetBytes(text.ReplaceLineEndings("\r\n")),
                "byte order mark" => [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)],
                "UTF-16" => [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text.ReplaceLineEndings("\r\n"))],
                _ => Encoding.ASCII.GetBytes("\n\n" + text + "\r\n\r\n"),
            };
            await File.WriteAllBytesAsync(file, treated, Cancel);
        }

        await _agents.Open().Machine.RegisterAsync(credential, Cancel);
        await _agents.Open("ANY").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 3 }, Owner, Cancel);
    }

    [Fact]
    public async Task A_damaged_owners_file_is_told_and_opens_nothing()
    {
        await _agents.Open("ISSUER").Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner);
        string whole = await File.ReadAllTextAsync(Owner.File, Cancel);
        foreach (string damaged in new[]
        {
            "",
            "{}",
            whole[..^20],
            whole.Replace("\"slot\": \"ey", "\"slot\": \"AA", StringComparison.Ordinal),
            whole.Replace("\"slot\": \"", "\"slot\": \"?", StringComparison.Ordinal),
            whole.Replace("\"owner\": \"MFkw", "\"owner\": \"MFkx", StringComparison.Ordinal),
            whole.Replace("\"format\": 1,\n  \"vaultId\"", "\"format\": 2,\n  \"vaultId\"", StringComparison.Ordinal),
            new string('x', 1 << 20),
        })
        {
            Assert.NotEqual(whole, damaged);
            await File.WriteAllTextAsync(Owner.File, damaged, Cancel);
            await FailsAsync(
                BackupErrorId.OwnerFileInvalid,
                null,
                () => _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings, Owner, Cancel));
        }

        File.Delete(Owner.File);
        await FailsAsync(
            BackupErrorId.OwnerFileInvalid,
            null,
            () => _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings, Owner, Cancel));
    }

    [Fact]
    public async Task The_owner_of_one_vault_is_nobody_in_another()
    {
        await _agents.Open("ISSUER").Ownership.CreateVaultAsync(_agents.Vault, "Office", Cancel, Owner);
        OwnerAccess second = Owner with { File = _agents["second.VaultOwner"] };
        await _agents.Open("ISSUER").Ownership.CreateVaultAsync(_agents["second"], "Second", Cancel, second);

        await FailsAsync(
            BackupErrorId.OwnerForeign,
            null,
            () => _agents.Open().Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 3 }, second, Cancel));
    }

    [Fact]
    public async Task A_machine_refuses_its_vault_under_another_owner()
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        string file = await _agents.IssueAsync();
        using var thief = OwnerKey.Create();
        string path = Path.Combine(_agents.Vault, "vault.json");
        VaultHeader header = VaultHeader.TryDecode(await File.ReadAllBytesAsync(path, Cancel))!;
        await File.WriteAllBytesAsync(path, CheckedJson.Encode(header with { Owner = thief.Identity.Encode() }, HeaderJson.Default.VaultHeader), Cancel);

        await FailsAsync(BackupErrorId.OwnerForeign, null, () => _agents.BackUpAsync(alpha));
        await FailsAsync(BackupErrorId.OwnerForeign, null, () => alpha.Vaults.InspectAsync(_agents.Vault, Cancel));
        await FailsAsync(BackupErrorId.OwnerForeign, null, () => alpha.Machine.RegisterAsync(file, Cancel));
        await FailsAsync(BackupErrorId.OwnerForeign, null, () => _agents.Open("BETA").Machine.RegisterAsync(file, Cancel));
        await FailsAsync(BackupErrorId.OwnerForeign, null, () => _agents.IssueAsync());
    }

    [Fact]
    public async Task Who_issues_a_file_for_a_full_vault_is_warned()
    {
        await _agents.ActivateAsync();
        BackupAgent issuer = _agents.Open("ISSUER");
        Assert.Null((await issuer.Ownership.IssueCredentialAsync(_agents.Vault, _agents[""], null, null, null, Cancel)).Warning);

        await issuer.Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 1 }, null, Cancel);
        _agents.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Contains(
            "1 machines",
            (await issuer.Ownership.IssueCredentialAsync(_agents.Vault, _agents[""], null, null, null, Cancel)).Warning,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_leaves_its_vault_and_registers_with_another()
    {
        BackupAgent alpha = await _agents.ActivateAsync();
        await _agents.BackUpAsync(alpha);
        string second = await _agents.IssueAsync(vault: _agents["second"]);
        await FailsAsync(BackupErrorId.VaultCredentialForeign, "100110", () => alpha.Machine.RegisterAsync(second, Cancel));

        Assert.Equal("Office", (await alpha.LeaveVaultAsync(Cancel)).VaultName);

        Assert.Null(_agents.Open().Machine.Registration);
        Assert.False(_agents.Open().Machine.HasPassphrase);
        Assert.False(File.Exists(_agents.Key));
        await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => alpha.LeaveVaultAsync(Cancel));
        Assert.Single(await (await alpha.OpenEngineAsync(_agents.Vault, AgentFixture.Passphrase, Cancel)).ListPointsAsync("ALPHA", Cancel));
        await alpha.Machine.RegisterAsync(second, Cancel);
        await alpha.Machine.Key.SetPassphraseAsync(Other, Cancel);
        await _agents.BackUpAsync(alpha);
    }

    [Fact]
    public async Task A_machine_does_not_leave_while_a_job_runs()
    {
        using var agents = new AgentFixture { Clock = new FakeClock { SkipsWaits = true } };
        BackupAgent alpha = await agents.ActivateAsync();
        using (await alpha.Jobs.LockAsync(Cancel))
        {
            await FailsAsync(BackupErrorId.JobInProgress, null, () => agents.Open().LeaveVaultAsync(Cancel));
        }

        Assert.NotNull(alpha.Machine.Registration);
    }

    [Fact]
    public async Task The_limit_holds_for_a_backup_without_a_registration_too()
    {
        await _agents.ActivateAsync();
        await _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 1 }, null, Cancel);
        UnlockedVault engine = await _agents.Open("ANY").OpenEngineAsync(_agents.Vault, AgentFixture.Passphrase, Cancel);
        Directory.CreateDirectory(_agents["source"]);
        var request = new Engine.Backup.BackupRequest { MachineName = "BETA", Sources = [new Engine.Backup.BackupSource.Tree(_agents["source"], new Engine.Sources.SourceSelection())] };

        await FailsAsync(BackupErrorId.MachineLimitReached, "403", () => engine.BackUpAsync(request, new JobMonitor(), Cancel));
        await engine.BackUpAsync(request with { MachineName = "alpha" }, new JobMonitor(), Cancel);
        await _agents.Open("ISSUER").Ownership.ChangeSettingsAsync(_agents.Vault, settings => settings with { MachineLimit = 2 }, null, Cancel);
        await engine.BackUpAsync(request, new JobMonitor(), Cancel);
    }

    [Fact]
    public async Task A_kept_key_does_not_open_with_the_secret_of_another_machine()
    {
        await _agents.IssueAsync();
        Directory.CreateDirectory(_agents.StateOf("OTHER"));
        File.Copy(Path.Combine(_agents.StateOf("ISSUER"), "owners.json"), Path.Combine(_agents.StateOf("OTHER"), "owners.json"));

        await FailsAsync(
            BackupErrorId.StateInvalid, null, () => _agents.Open("OTHER").Ownership.ChangeSettingsAsync(
                _agents.Vault, settings => settings with { MachineLimit = 3 }, null, Cancel));
    }

    [Fact]
    public async Task A_vault_without_an_owner_is_backed_up_to_and_lets_nobody_set_anything()
    {
        await Vault.CreateNamedAsync(FolderVaultStore.Create(_agents.Vault), "Office", new VaultOptions(), Cancel);

        BackupException fault = await FailsAsync(
            BackupErrorId.OwnerRequired, null, () => _agents.Open().Ownership.ChangeSettingsAsync(
                _agents.Vault, settings => settings with { MachineLimit = 3 }, null, Cancel));

        Assert.Contains("without an owner", fault.Message, StringComparison.Ordinal);
        Assert.Null((await _agents.Open().Vaults.InspectAsync(_agents.Vault, Cancel)).Owner);
    }
}
