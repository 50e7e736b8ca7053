using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>Fifty machines of one vault, of which one falls silent.</summary>
public static class TestFleet
{
    private const string Silent = "M37";

    /// <summary>Registers them, lets all but one go on, and asserts that an observer finds that one and no other.</summary>
    /// <param name="store">An empty store, whose clock is that of this machine.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task AssertSilenceIsFoundAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        var clock = new FakeClock(TimeProvider.System.GetUtcNow());
        Vault vault = await Vault.CreateAsync(store, Obengine.Passphrase, new VaultOptions { TimeProvider = clock, KeyDerivationIterations = 1000 }, cancellationToken);
        using UnlockedVault unlocked = await vault.UnlockAsync(Obengine.Passphrase, cancellationToken);
        string[] machines = [.. Enumerable.Range(1, 50).Select(number => $"M{number:00}")];
        foreach (string machine in machines)
        {
            await vault.Entrance.ClaimAsync(machine, unlocked.Key, cancellationToken);
            await unlocked.WriteStatusAsync(NextIn(TimeSpan.FromHours(6), machine), cancellationToken);
        }

        VaultWatch watch = vault.Watch([unlocked.CreateMonitoringCredential()]);
        VaultCompliance before = await watch.LookAsync(cancellationToken);
        Assert.Equal(50, before.Policies.Count);
        Assert.DoesNotContain(before.Policies, policy => policy.IsAlarming);

        foreach (string machine in machines.Where(machine => machine != Silent))
        {
            await unlocked.WriteStatusAsync(NextIn(TimeSpan.FromHours(24), machine), cancellationToken);
        }

        clock.Advance(TimeSpan.FromHours(9));
        VaultCompliance found = await watch.LookAsync(cancellationToken);
        Assert.Equal(50, found.Policies.Count);
        PolicyCompliance silent = Assert.Single(found.Policies, policy => policy.IsAlarming);
        Assert.Equal((Silent, ComplianceState.Late), (silent.Machine, silent.State));
    }

    private static RunStatus NextIn(TimeSpan time, string machine) =>
        new() { Machine = machine, Policy = "files", Outcome = RunOutcome.Completed, AgentVersion = "1", NextSeconds = (long)time.TotalSeconds, GraceSeconds = 7200 };
}
