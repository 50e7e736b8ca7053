using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Machine.AgentFixture;

namespace MSOnlineBackup.Engine.Tests.Machine;

/// <summary>How this machine reaches vaults beyond it.</summary>
public sealed class MachineConnectionTests : IDisposable
{
    private const string Vault = "https://acct.blob.core.windows.net/office";
    private const string Signature = "sv=2024-11-04&sp=racl&sig=c2VjcmV0";

    private static readonly ThrottleSetting _throttle = new([DayOfWeek.Monday], TimeSpan.FromHours(9), TimeSpan.FromHours(18), 512_000, 2_000_000);

    private readonly AgentFixture _agents = new();

    public void Dispose() => _agents.Dispose();

    [Fact]
    public async Task The_settings_hold_for_every_vault_that_is_not_a_folder()
    {
        BackupAgent agent = _agents.Open();
        agent.Machine.Update(settings => settings with { Proxy = new ProxySetting("proxy", 8080, "me", "word"), Throttle = _throttle });

        await agent.Ownership.CreateVaultAsync(Vault, "Office", Cancel);
        await agent.Ownership.CreateVaultAsync(_agents.Vault, "Folder", Cancel);

        VaultConnection connection = _agents.Connections[Vault];
        Assert.Equal(new ProxySetting("proxy", 8080, "me", "word"), connection.Proxy);
        Assert.False(connection.IsDirect);
        Assert.NotNull(connection.Bandwidth);
        Assert.Same(_agents.Clock, connection.TimeProvider);
        Assert.Null(_agents.Connections[_agents.Vault].Proxy);
        Assert.Null(_agents.Connections[_agents.Vault].Bandwidth);
    }

    [Fact]
    public async Task A_machine_that_is_told_to_use_no_proxy_uses_none()
    {
        BackupAgent agent = _agents.Open();
        agent.Machine.Update(settings => settings with { Proxy = new ProxySetting("proxy", 8080), IsDirect = true });

        await agent.Ownership.CreateVaultAsync(Vault, "Office", Cancel);

        Assert.True(_agents.Open().Machine.Settings.IsDirect);
        Assert.Equal((null, true), (_agents.Connections[Vault].Proxy, _agents.Connections[Vault].IsDirect));
    }

    [Fact]
    public async Task Jobs_wait_long_for_a_vault_and_people_do_not()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        Assert.Equal(VaultPatience.Person, _agents.Connections[_agents.Vault].Patience);

        var job = new RecoveryOrder { MachineName = "ALPHA", PointId = "none", Paths = [], TargetFolder = _agents["target"] };
        await FailsAsync(BackupErrorId.RecoveryPointNotFound, null, () => agent.Jobs.RunAsync(job, _ => { }, Cancel));
        Assert.Equal(VaultPatience.Job, _agents.Connections[_agents.Vault].Patience);

        await agent.OpenEngineAsync(Cancel);
        Assert.Equal(VaultPatience.Person, _agents.Connections[_agents.Vault].Patience);
        await agent.OpenEngineAsync(VaultPatience.Job, Cancel);
        Assert.Equal(VaultPatience.Job, _agents.Connections[_agents.Vault].Patience);

        // Beyond this machine it is the same.
        Assert.Equal(
            (VaultPatience.Person, VaultPatience.Job),
            (agent.Machine.Connect(Vault, VaultPatience.Person).Patience, agent.Machine.Connect(Vault, VaultPatience.Job).Patience));
    }

    [Fact]
    public async Task Where_the_vault_of_a_registered_machine_is_gone_it_is_told_to_register_again_and_not_to_make_another()
    {
        BackupAgent agent = await _agents.ActivateAsync();
        Directory.Move(_agents.Vault, _agents["away"]);

        BackupException lost = await FailsAsync(BackupErrorId.VaultNotFound, null, () => agent.OpenEngineAsync(Cancel));

        Assert.Contains("Start-OBRegistration", lost.RecommendedAction, StringComparison.Ordinal);
        Assert.DoesNotContain("create", lost.RecommendedAction, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task All_transfers_of_a_process_share_one_bandwidth()
    {
        BackupAgent agent = _agents.Open();
        agent.Machine.Update(settings => settings with { Throttle = _throttle });
        Assert.Null(agent.Machine.Bandwidth);

        await agent.Ownership.CreateVaultAsync(Vault, "Office", Cancel);
        Bandwidth? first = _agents.Connections[Vault].Bandwidth;
        await agent.Vaults.InspectAsync(Vault, Cancel);

        Assert.Same(first, _agents.Connections[Vault].Bandwidth);
        Assert.Same(first, agent.Machine.Bandwidth);
        Assert.Equal(_throttle.LimitNow(_agents.Clock), first!.Limit);
    }

    [Fact]
    public async Task A_signature_comes_with_the_credential_file_and_is_kept_wrapped()
    {
        string file = await _agents.IssueAsync(vault: Vault, secret: Signature);
        BackupAgent agent = _agents.Open();
        await agent.Machine.RegisterAsync(file, Cancel);
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);
        _agents.Connections.Clear();

        await _agents.Open().OpenEngineAsync(Cancel);

        Assert.Equal(Signature, _agents.Connections[Vault].Secret);
        Assert.All(
            Directory.GetFiles(_agents.State, "*", SearchOption.AllDirectories),
            kept => Assert.DoesNotContain("c2VjcmV0", File.ReadAllText(kept), StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_agents.State, "machine.json")));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task It_opens_the_vault_that_it_came_with_and_is_shown_to_no_other()
    {
        BackupAgent agent = _agents.Open();
        await agent.Machine.RegisterAsync(await _agents.IssueAsync(vault: Vault, secret: Signature), Cancel);

        await agent.Vaults.InspectAsync(Vault, Cancel);
        await agent.Ownership.CreateVaultAsync("https://acct.blob.core.windows.net/another", "Another", Cancel);

        Assert.Equal(Signature, _agents.Connections[Vault].Secret);
        Assert.Null(_agents.Connections["https://acct.blob.core.windows.net/another"].Secret);
    }

    [Fact]
    public async Task A_newer_file_replaces_the_signature_and_nothing_else()
    {
        BackupAgent agent = _agents.Open();
        await agent.Machine.RegisterAsync(await _agents.IssueAsync(vault: Vault, secret: Signature), Cancel);
        await agent.Machine.Key.SetPassphraseAsync(Passphrase, Cancel);

        await agent.Machine.RegisterAsync(await _agents.IssueAsync(vault: Vault, secret: Signature + "2"), Cancel);

        await agent.OpenEngineAsync(Cancel);
        Assert.Equal(Signature + "2", _agents.Connections[Vault].Secret);

        await agent.Machine.RegisterAsync(await _agents.IssueAsync(vault: Vault), Cancel);

        await agent.OpenEngineAsync(Cancel);
        Assert.Null(_agents.Connections[Vault].Secret);
    }

    [Fact]
    public async Task A_signature_is_tried_before_a_file_is_issued()
    {
        await _agents.IssueAsync(vault: Vault);
        var refused = new BackupException(BackupErrorId.VaultAccessDenied, "No.", "Give another.");
        _agents.Decorate = store => _agents.Connections[Vault].Secret is null ? store : throw refused;

        BackupException error = await FailsAsync(BackupErrorId.VaultAccessDenied, null, () => _agents.IssueAsync(vault: Vault, secret: Signature));

        Assert.Same(refused, error);
        Assert.Single(Directory.GetFiles(_agents["files"]));
    }

    [Fact]
    public async Task A_kept_signature_does_not_go_to_a_place_that_was_written_into_the_state()
    {
        BackupAgent agent = _agents.Open();
        await agent.Machine.RegisterAsync(await _agents.IssueAsync(vault: Vault, secret: Signature), Cancel);
        string state = Path.Combine(_agents.State, "machine.json");
        await File.WriteAllTextAsync(state, (await File.ReadAllTextAsync(state, Cancel)).Replace("acct.blob", "evil.blob", StringComparison.Ordinal), Cancel);

        await FailsAsync(BackupErrorId.StateInvalid, null, () => agent.Vaults.InspectAsync(Vault.Replace("acct", "evil", StringComparison.Ordinal), Cancel));
    }

    [Fact]
    public async Task A_vault_that_demands_a_private_endpoint_is_not_even_registered_with_by_a_public_one()
    {
        BackupAgent owner = _agents.Open("ISSUER");
        await owner.Ownership.CreateVaultAsync(Vault, "Office", Cancel);
        await owner.Ownership.ChangeSettingsAsync(Vault, settings => settings with { RequiresPrivateEndpoint = true }, null, Cancel);
        string file = await _agents.IssueAsync(vault: Vault);
        _agents.Connections.Clear();
        BackupAgent agent = _agents.Open();

        MachineRegistration registration = await agent.Machine.RegisterAsync(file, Cancel);

        Assert.True(registration.RequiresPrivateEndpoint);
        Assert.True(_agents.Connections[Vault].RequiresPrivateEndpoint);
        await _agents.Open().Vaults.InspectAsync(Vault, Cancel);
        Assert.True(_agents.Connections[Vault].RequiresPrivateEndpoint);
    }

    [Fact]
    public async Task Looking_into_a_credential_file_goes_the_way_that_it_gives()
    {
        string file = await _agents.IssueAsync(vault: Vault, secret: Signature);

        VaultCredentialInfo credential = await _agents.Open().Machine.InspectCredentialAsync(file, Cancel);

        Assert.Equal((Vault, Signature), (credential.Vault.Location, credential.Vault.Secret));
        Assert.Equal(Signature, _agents.Connections[Vault].Secret);
        Assert.DoesNotContain("c2VjcmV0", credential.ToString(), StringComparison.Ordinal);
    }
}
