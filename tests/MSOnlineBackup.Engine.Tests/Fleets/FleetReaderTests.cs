using MSOnlineBackup.Agent.Fleets;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Fleets;

public sealed class FleetReaderTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeClock _clock = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_fifty_machines_in_two_vaults_the_silent_one_comes_first()
    {
        MonitoringCredential one = await CreateAsync("one", [.. Enumerable.Range(1, 25).Select(number => Next($"A{number:00}", number == 17 ? 6 : 48))]);
        MonitoringCredential two = await CreateAsync("two", [.. Enumerable.Range(1, 25).Select(number => Next($"B{number:00}", 48))]);
        _clock.Advance(TimeSpan.FromHours(9));

        Fleet fleet = await ReadAsync([one, two], "one", "two");

        Assert.Equal(50, fleet.Machines.Count);
        Assert.Equal(("A17", "one", ComplianceState.Late), (fleet.Machines[0].Name, fleet.Machines[0].Vault, fleet.Machines[0].Worst.State));
        Assert.DoesNotContain(fleet.Machines.Skip(1), machine => machine.Worst.IsAlarming);
        Assert.Equal(fleet.Machines.Skip(1).Select(machine => machine.Name).Order(), fleet.Machines.Skip(1).Select(machine => machine.Name));
        Assert.All(fleet.Machines, machine => Assert.NotEmpty(machine.AgentVersion));
        Assert.All(fleet.Vaults, vault => Assert.Null(vault.Failure));
    }

    [Fact]
    public async Task A_machine_is_one_row_by_its_worst_policy_and_the_success_that_is_oldest()
    {
        MonitoringCredential credential = await CreateAsync("one", Next("A", 48), Next("A", 6) with { Policy = "system-state", Bytes = 10, Files = 1 });
        _clock.Advance(TimeSpan.FromHours(9));

        FleetMachine machine = Assert.Single((await ReadAsync([credential], "one")).Machines);

        Assert.Equal((ComplianceState.Late, "system-state", 2), (machine.Worst.State, machine.Worst.Policy, machine.Policies.Count));
        Assert.Equal(machine.Policies.Min(policy => policy.LastSuccess), machine.LastSuccess);
        Assert.Equal(machine.Policies.Min(policy => policy.Due), machine.Due);
        Assert.Equal(machine.Policies.Sum(policy => policy.Bytes), machine.Bytes);
    }

    [Fact]
    public async Task A_vault_that_cannot_be_read_keeps_nothing_of_the_others_from_being_told()
    {
        MonitoringCredential credential = await CreateAsync("one", Next("A", 48));

        Fleet fleet = await ReadAsync([credential], "nowhere", "one");

        Assert.Equal("A", Assert.Single(fleet.Machines).Name);
        Assert.Equal((BackupErrorId.VaultNotFound, "nowhere"), (fleet.Vaults[0].Failure?.Id, fleet.Vaults[0].Location));
        Assert.Null(fleet.Vaults[1].Failure);
    }

    [Fact]
    public async Task A_credential_of_none_of_the_vaults_is_refused_and_one_of_a_vault_that_cannot_be_read_is_not()
    {
        MonitoringCredential one = await CreateAsync("one", Next("A", 48));
        MonitoringCredential two = await CreateAsync("two", Next("B", 48));

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => ReadAsync([one, two], "one"));
        Assert.Equal(BackupErrorId.MonitoringCredentialInvalid, refused.Id);

        Directory.Move(_folder["two"], _folder["away"]);
        Assert.Single((await ReadAsync([one, two], "one", "two")).Machines);
    }

    [Theory]
    [InlineData("0.9.0", "0.10.0", true)]
    [InlineData("0.10.0", "0.10.0", false)]
    [InlineData("0.11.0", "0.10.0", false)]
    [InlineData("", "0.10.0", false)]
    public void A_machine_is_outdated_where_another_has_a_newer_version(string version, string other, bool isOutdated)
    {
        FleetMachine[] marked = [.. FleetReader.MarkOutdated([Machine("A", version), Machine("B", other)])];

        Assert.Equal(isOutdated, marked[0].IsOutdated);
    }

    private static FleetMachine Machine(string name, string version) =>
        new("vault", name, [new PolicyCompliance(name, "files", ComplianceState.Ok, "", "")]) { OperatingSystem = "", AgentVersion = version };

    private static RunStatus Next(string machine, int hours) =>
        new() { Machine = machine, Policy = "files", Outcome = RunOutcome.Completed, AgentVersion = "1", NextSeconds = hours * 3600L, GraceSeconds = 7200, Files = 2, Bytes = 100 };

    private async Task<MonitoringCredential> CreateAsync(string name, params RunStatus[] statuses)
    {
        var options = new VaultOptions { TimeProvider = _clock, KeyDerivationIterations = 1000 };
        Vault vault = await Vault.CreateAsync(FolderVaultStore.Create(_folder[name]), Obengine.Passphrase, options, Cancel);
        using UnlockedVault unlocked = await vault.UnlockAsync(Obengine.Passphrase, Cancel);
        foreach (string machine in statuses.Select(status => status.Machine).Distinct())
        {
            await vault.Entrance.ClaimAsync(machine, unlocked.Key, Cancel);
        }

        foreach (RunStatus status in statuses)
        {
            await unlocked.WriteStatusAsync(status, Cancel);
        }

        return unlocked.CreateMonitoringCredential();
    }

    private Task<Fleet> ReadAsync(MonitoringCredential[] credentials, params string[] names) => FleetReader.ReadAsync(
        [.. names.Select(name => (name, (Func<CancellationToken, Task<Vault>>)(stop => Vault.OpenAsync(new FolderVaultStore(_folder[name]), new VaultOptions { TimeProvider = _clock }, stop))))],
        credentials,
        own: null,
        maxAge: null,
        Cancel);
}
