using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class RegistrationTests : IDisposable
{
    private const string Code = "34513";

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task A_machine_registers_by_a_file_and_remembers_it()
    {
        string file = await _agents.IssueAsync();
        Assert.Matches(@"^Office_\d{4}-\d\d-\d\dT\d{6}Z\.VaultCredentials$", Path.GetFileName(file));

        MachineRegistration registration = await _agents.Open().Machine.RegisterAsync(file, Cancel);

        Assert.Equal(registration, _agents.Open().Machine.Registration);
        Assert.Equal(
            ("Office", _agents.Vault, "ALPHA", 1),
            (registration.VaultName, registration.VaultLocation, registration.MachineName, registration.CredentialSerial));
        Assert.Equal((await _agents.Open().Vaults.InspectAsync(_agents.Vault, Cancel)).VaultId, registration.VaultId);
        Assert.Equal(_agents.Vault, (await _agents.Open("OTHER").Machine.InspectCredentialAsync(file, Cancel)).Vault.Location);
        Assert.False(_agents.Open().Machine.HasPassphrase);
    }

    [Fact]
    public async Task A_relative_path_will_do_and_the_ending_in_any_letters()
    {
        string file = await _agents.IssueAsync();
        string copy = Path.ChangeExtension(file, ".vaultcredentials");
        File.Move(file, copy);

        await _agents.Open().Machine.RegisterAsync(Path.GetRelativePath(Directory.GetCurrentDirectory(), copy), Cancel);

        Assert.NotNull(_agents.Open().Machine.Registration);
    }

    [Fact]
    public async Task A_file_holds_for_48_hours_and_no_minute_longer()
    {
        string file = await _agents.IssueAsync();
        _agents.Clock.Advance(TimeSpan.FromHours(48));
        await _agents.Open().Machine.RegisterAsync(file, Cancel);

        _agents.Clock.Advance(TimeSpan.FromMinutes(1));

        BackupException fault = await RefusedAsync(file);
        Assert.Contains("expired on", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_holds_for_up_to_ten_days_if_so_issued()
    {
        string file = await _agents.IssueAsync(TimeSpan.FromDays(10));
        _agents.Clock.Advance(TimeSpan.FromDays(10));
        await _agents.Open().Machine.RegisterAsync(file, Cancel);

        await FailsAsync(BackupErrorId.ArgumentInvalid, null, () => _agents.IssueAsync(TimeSpan.FromDays(10) + TimeSpan.FromSeconds(1)));
        await FailsAsync(BackupErrorId.ArgumentInvalid, null, () => _agents.IssueAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task Of_two_files_only_the_newer_counts()
    {
        string older = await _agents.IssueAsync();
        string newer = await _agents.IssueAsync();

        BackupException fault = await RefusedAsync(older);

        Assert.Contains("only the newest", fault.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await _agents.Open().Machine.RegisterAsync(newer, Cancel)).CredentialSerial);
    }

    [Fact]
    public async Task Every_flipped_byte_and_every_truncation_is_refused()
    {
        string file = await _agents.IssueAsync();
        byte[] whole = await File.ReadAllBytesAsync(file, Cancel);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 0x10;
            await File.WriteAllBytesAsync(file, flipped, Cancel);
            Assert.Contains("corrupt", (await RefusedAsync(file)).Message, StringComparison.Ordinal);
            if (at < whole.Length - 1)
            {
                // The last line break is none of the content.
                await File.WriteAllBytesAsync(file, whole[..at], Cancel);
                await RefusedAsync(file);
            }
        }

        Assert.False(Directory.Exists(Path.Combine(_agents.State, "scratch")));
        Assert.Null(_agents.Open().Machine.Registration);
    }

    [Fact]
    public async Task Nothing_can_be_read_in_a_file()
    {
        string text = await File.ReadAllTextAsync(await _agents.IssueAsync(), Cancel);

        Assert.DoesNotContain("Office", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_agents.Vault, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_credential_file_is_told_apart()
    {
        string file = await _agents.IssueAsync();
        string renamed = Path.ChangeExtension(file, ".txt");
        File.Copy(file, renamed);

        Assert.Contains("does not end with", (await RefusedAsync(renamed)).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", (await RefusedAsync(_agents["none.VaultCredentials"])).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", (await RefusedAsync(Path.Combine(_agents["none"], "x.VaultCredentials"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_whose_record_the_vault_has_lost_is_refused()
    {
        string file = await _agents.IssueAsync();
        string record = Path.Combine(_agents.Vault, "credentials", "00000001");
        File.Delete(record + ".copy");
        await File.WriteAllTextAsync(record, "{", Cancel);
        await RefusedAsync(file);
        File.Delete(record);
        await RefusedAsync(file);
    }

    [Fact]
    public async Task Another_vault_in_the_place_of_the_one_it_was_issued_for_is_told()
    {
        string file = await _agents.IssueAsync();
        Directory.Delete(_agents.Vault, recursive: true);
        await _agents.Open().Ownership.CreateVaultAsync(_agents.Vault, "Impostor", Cancel);

        Assert.Contains("another vault", (await RefusedAsync(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vault_that_is_not_there_is_told_with_its_place()
    {
        string file = await _agents.IssueAsync();
        Directory.Move(_agents.Vault, _agents["elsewhere"]);

        BackupException fault = await FailsAsync(BackupErrorId.VaultNotFound, null, () => _agents.Open().Machine.RegisterAsync(file, Cancel));

        Assert.Contains(_agents.Vault, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_another_vault_is_refused_once_the_machine_is_registered()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        string foreign = await _agents.IssueAsync(vault: _agents["second"]);

        BackupException fault = await FailsAsync(BackupErrorId.VaultCredentialForeign, "100110", () => agent.Machine.RegisterAsync(foreign, Cancel));

        Assert.Contains("Unregister-OBMachine", fault.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(_agents.Vault, agent.Machine.Registration!.VaultLocation);
        Assert.Equal(_agents["second"], (await agent.Machine.InspectCredentialAsync(foreign, Cancel)).Vault.Location);
    }

    [Fact]
    public async Task A_vault_that_is_full_takes_nobody_but_whom_it_knows()
    {
        string file = await _agents.IssueAsync();
        var objects = new FolderVaultStore(_agents.Vault);
        VaultHeader header = await VaultHeader.ReadAsync(objects, Cancel);
        for (int i = 1; i <= 50; i++)
        {
            await new MachineDirectory(TestVault.Of(objects, header))
                .ClaimAsync($"M{i}", new UnlockedKey(StoreId.Parse(new string('a', 32)), new string('0', 32), new byte[32]), Cancel);
        }

        BackupAgent late = _agents.Open("LATE");
        BackupException fault = await FailsAsync(BackupErrorId.MachineLimitReached, "403", () => late.Machine.RegisterAsync(file, Cancel));

        Assert.Contains("50", fault.Message, StringComparison.Ordinal);
        Assert.Null(late.Machine.Registration);
        await _agents.Open("m50").Machine.RegisterAsync(file, Cancel);
    }

    [Fact]
    public async Task Registering_again_with_the_same_vault_keeps_the_passphrase()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);

        await agent.Machine.RegisterAsync(await _agents.IssueAsync(), Cancel);

        Assert.True(agent.Machine.HasPassphrase);
        Assert.Equal(2, agent.Machine.Registration!.CredentialSerial);
        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
    }

    [Fact]
    public async Task A_machine_that_was_unregistered_backs_up_no_more_until_it_registers_again()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        await _agents.BackUpAsync(agent);
        await _agents.Open("ISSUER").Ownership.UnregisterMachineAsync(_agents.Vault, "alpha", null, Cancel);

        BackupException fault = await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => _agents.BackUpAsync(agent));

        Assert.Contains("Start-OBRegistration", fault.RecommendedAction, StringComparison.Ordinal);
        VaultInfo vault = await agent.Vaults.InspectAsync(_agents.Vault, Cancel);
        Assert.Empty(vault.Machines);
        Assert.Equal(
            [("ALPHA", _agents.Clock.GetUtcNow())],
            (await agent.Vaults.ListMachinesAsync(_agents.Vault, Cancel)).Select(machine => (machine.Name, machine.Left!.Value)));
        Assert.Equal(1, vault.Points);
        await agent.Machine.RegisterAsync(await _agents.IssueAsync(), Cancel);
        Assert.True(agent.Machine.HasPassphrase);
        Assert.Equal(1, (await _agents.BackUpAsync(agent)).UnchangedFiles);
        Assert.Equal(["ALPHA"], (await agent.Vaults.InspectAsync(_agents.Vault, Cancel)).Machines);
    }

    [Fact]
    public async Task What_a_machine_has_left_in_the_vault_opens_by_its_passphrase_from_anywhere()
    {
        await _agents.BackUpAsync(await _agents.ActivateAsync());
        await _agents.Open("ISSUER").Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel);
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(_agents.Vault, "settings")).FullName, "00000001"), "damaged", Cancel);
        Assert.Equal(["ALPHA"], (await _agents.Open("OTHER").Vaults.ListMachinesAsync(_agents.Vault, Cancel)).Select(machine => machine.Name));

        UnlockedVault engine = await _agents.Open("OTHER").OpenEngineAsync(_agents.Vault, Passphrase, Cancel);

        Assert.Single(await engine.ListPointsAsync("ALPHA", Cancel));
        VerifyReport report = await engine.VerifyAsync(VerifyLevel.Data, new JobMonitor(), Cancel);
        Assert.Equal("settings/00000001", Assert.Single(report.Findings).Object);
    }

    [Fact]
    public async Task A_name_that_was_given_up_goes_to_whoever_registers_next()
    {
        BackupAgent first = await _agents.ActivateAsync();
        await _agents.BackUpAsync(first);
        await _agents.Open("ISSUER").Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel);

        BackupAgent second = await _agents.ActivateAsync(passphrase: Other, state: _agents["second state"]);

        UnlockedVault engine = await second.OpenEngineAsync(Cancel);
        Assert.Empty(await engine.ListPointsAsync("ALPHA", Cancel));
        await _agents.BackUpAsync(second);
        await FailsAsync(BackupErrorId.MachineNameTaken, null, () => _agents.BackUpAsync(first));
        string file = await _agents.IssueAsync();
        await FailsAsync(BackupErrorId.MachineNameTaken, null, () => first.Machine.RegisterAsync(file, Cancel));
        Assert.Single(await (await first.OpenEngineAsync(Cancel)).ListPointsAsync("ALPHA", Cancel));
    }

    [Fact]
    public async Task A_machine_installed_anew_after_it_was_unregistered_finds_its_points_by_its_passphrase()
    {
        await _agents.BackUpAsync(await _agents.ActivateAsync());
        await _agents.Open("ISSUER").Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel);

        BackupAgent anew = await _agents.ActivateAsync(state: _agents["new state"]);

        Assert.Equal(1, (await _agents.BackUpAsync(anew)).UnchangedFiles);
    }

    [Fact]
    public async Task What_is_no_machine_of_the_vault_cannot_be_unregistered()
    {
        await _agents.ActivateAsync();
        BackupAgent owner = _agents.Open("ISSUER");
        await owner.Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel);

        await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => owner.Ownership.UnregisterMachineAsync(_agents.Vault, "BETA", null, Cancel));
        BackupException fault =
            await FailsAsync(BackupErrorId.MachineNotRegistered, null, () => owner.Ownership.UnregisterMachineAsync(_agents.Vault, "ALPHA", null, Cancel));

        Assert.Contains("was unregistered on", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_is_called_otherwise_registers_again_under_the_name_that_the_vault_knows()
    {
        await _agents.BackUpAsync(await _agents.ActivateAsync());
        BackupAgent called = _agents.Open("BETA", _agents.State);
        Assert.Contains("'Rename-OBMachine BETA'", called.Machine.FindNameChange()!.RecommendedAction, StringComparison.Ordinal);

        MachineRegistration registration = await called.Machine.RegisterAsync(await _agents.IssueAsync(), Cancel);

        Assert.Equal("ALPHA", registration.MachineName);
        Assert.True(called.Machine.HasPassphrase);
        Assert.Equal(BackupErrorId.MachineNameChanged, called.Machine.FindNameChange()!.Id);
        Assert.Null(_agents.Open("alpha", _agents.State).Machine.FindNameChange());
        Assert.Equal(0, (await _agents.BackUpAsync(called)).ReadBytes);
    }

    [Fact]
    public async Task A_file_is_only_written_to_a_folder_that_is_there()
    {
        await _agents.IssueAsync();

        await FailsAsync(
            BackupErrorId.ArgumentInvalid,
            null,
            () => _agents.Open().Ownership.IssueCredentialAsync(_agents.Vault, _agents["nowhere"], null, null, null, Cancel));
    }

    private Task<BackupException> RefusedAsync(string file) =>
        FailsAsync(BackupErrorId.VaultCredentialInvalid, Code, () => _agents.Open().Machine.RegisterAsync(file, Cancel));
}
