using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Agent.Fleets;

/// <summary>Looks over the machines of several vaults. No passphrase is needed.</summary>
public static class FleetReader
{
    // Each look has requests of its own under way.
    private const int VaultsAtOnce = 4;

    /// <summary>Looks once. A vault that cannot be read keeps nothing of the others from being told.</summary>
    /// <param name="vaults">Each vault: where it is, and how it is opened.</param>
    /// <param name="credentials">What opens and proves statuses, of whichever of the vaults.</param>
    /// <param name="own">What opens those of a vault beside that, where this machine knows it; null for nothing.</param>
    /// <param name="maxAge">See <see cref="Vault.Watch"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MonitoringCredentialInvalid: one is of none of these vaults.</exception>
    public static async Task<Fleet> ReadAsync(
        IReadOnlyList<(string Location, Func<CancellationToken, Task<Vault>> Open)> vaults,
        IReadOnlyList<MonitoringCredential> credentials,
        Func<Vault, CancellationToken, Task<MonitoringCredential?>>? own,
        TimeSpan? maxAge,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vaults);
        ArgumentNullException.ThrowIfNull(credentials);
        var looks = new Look[vaults.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, vaults.Count),
            new ParallelOptions { MaxDegreeOfParallelism = VaultsAtOnce, CancellationToken = cancellationToken },
            async (i, token) => looks[i] = await LookAsync(vaults[i].Location, () => OpenAsync(vaults[i].Open, credentials, own, token), maxAge, token).ConfigureAwait(false)).ConfigureAwait(false);
        RefuseStrangers(looks, credentials);
        return new Fleet(
            [.. MarkOutdated(looks.SelectMany(look => look.Machines)).OrderBy(machine => machine.Worst, PolicyCompliance.ByUrgency)
                .ThenBy(machine => machine.Name, StringComparer.OrdinalIgnoreCase)],
            [.. looks.Select(look => look.Vault)]);
    }

    private static async Task<Look> LookAsync(
        string location, Func<Task<(Vault Vault, IReadOnlyList<MonitoringCredential> Credentials)>> open, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        try
        {
            (Vault vault, IReadOnlyList<MonitoringCredential> credentials) = await open().ConfigureAwait(false);
            Task<IReadOnlyList<VaultMachine>> naming = vault.ListMachinesAsync(cancellationToken);
            VaultCompliance found = await vault.Watch(credentials, maxAge).LookAsync(cancellationToken).ConfigureAwait(false);
            ILookup<string, VaultMachine> known = (await naming.ConfigureAwait(false)).ToLookup(machine => machine.Name);
            return new Look(
                vault.VaultId,
                new FleetVault(location, found.Warnings, null),
                [.. found.Policies.GroupBy(policy => policy.Machine).Select(policies => new FleetMachine(location, policies.Key, [.. policies])
                {
                    OperatingSystem = known[policies.Key].FirstOrDefault()?.OperatingSystem ?? "",
                    AgentVersion = known[policies.Key].FirstOrDefault()?.AgentVersion ?? "",
                })]);
        }
        catch (BackupException e)
        {
            return new Look(null, new FleetVault(location, [], e), []);
        }
    }

    private static async Task<(Vault Vault, IReadOnlyList<MonitoringCredential> Credentials)> OpenAsync(
        Func<CancellationToken, Task<Vault>> open,
        IReadOnlyList<MonitoringCredential> credentials,
        Func<Vault, CancellationToken, Task<MonitoringCredential?>>? own,
        CancellationToken cancellationToken)
    {
        Vault vault = await open(cancellationToken).ConfigureAwait(false);
        MonitoringCredential? known = own is null ? null : await own(vault, cancellationToken).ConfigureAwait(false);
        return (vault, [.. credentials.Where(credential => credential.VaultId == vault.VaultId), .. known is null ? Array.Empty<MonitoringCredential>() : [known]]);
    }

    // A credential may be of a vault that could not be read.
    private static void RefuseStrangers(Look[] looks, IReadOnlyList<MonitoringCredential> credentials)
    {
        HashSet<string?> known = [.. looks.Select(look => look.VaultId)];
        if (!known.Contains(null) && credentials.FirstOrDefault(credential => !known.Contains(credential.VaultId)) is { } stranger)
        {
            throw new BackupException(
                BackupErrorId.MonitoringCredentialInvalid,
                $"A monitoring credential is of another vault ({stranger.VaultId}), and of none of those that were named.",
                "Name its vault, too, or leave it out.");
        }
    }

    /// <summary>Marks those that have an older version than another one.</summary>
    internal static IEnumerable<FleetMachine> MarkOutdated(IEnumerable<FleetMachine> machines)
    {
        FleetMachine[] all = [.. machines];
        Version? newest = all.Max(machine => VersionOf(machine.AgentVersion));
        return all.Select(machine => machine with { IsOutdated = VersionOf(machine.AgentVersion) is { } version && version < newest });
    }

    private static Version? VersionOf(string text) => Version.TryParse(text, out Version? version) ? version : null;

    private sealed record Look(string? VaultId, FleetVault Vault, IReadOnlyList<FleetMachine> Machines);
}
