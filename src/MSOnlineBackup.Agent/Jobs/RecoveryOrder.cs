using System.Text.Json.Serialization;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>A recovery to be run.</summary>
public sealed record RecoveryOrder : JobOrder
{
    internal const string PassphraseName = "passphrase";
    internal const string VaultSecretName = "vaultSecret";

    /// <summary>An order to recover.</summary>
    public RecoveryOrder()
        : base(JobKind.Recovery)
    {
    }

    /// <summary>The vault; null for this machine's own. Its secret is never written to disk.</summary>
    public VaultAddress? Vault { get; init; }

    /// <summary>Whose data.</summary>
    public required string MachineName { get; init; }

    /// <summary>The recovery point's session id.</summary>
    public required string PointId { get; init; }

    /// <summary>Full paths of the items; empty for everything.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Where to; null for where they came from.</summary>
    public string? TargetFolder { get; init; }

    /// <summary>What to do where something is there.</summary>
    [JsonRequired]
    public RestoreConflict Conflict { get; init; } = RestoreConflict.Copy;

    /// <summary>Whether owner, mode and ACLs are left as new files have them.</summary>
    [JsonRequired]
    public bool SkipSecurity { get; init; }

    /// <summary>The passphrase; null for this machine's own key. Never written to disk.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Whether names that Windows does not have are restored as names that it has.</summary>
    [JsonRequired]
    public bool MapNames { get; init; }

    /// <summary>Whether what was restored is read again and compared.</summary>
    [JsonRequired]
    public bool Verify { get; init; }

    /// <summary>Whether what lies in a folder is restored even where its subscription was given up, and the profile stops restores then.</summary>
    [JsonRequired]
    public bool EvenDeprovisioned { get; init; }

    /// <summary>Where the data come from.</summary>
    public RestoreFrom From { get; init; }

    /// <inheritdoc/>
    internal override IReadOnlyList<JobSecret> Secrets =>
    [
        .. Passphrase is null ? [] : new[] { new JobSecret(PassphraseName, Passphrase) },
        .. Vault?.Secret is null ? [] : new[] { new JobSecret(VaultSecretName, Vault.Secret) },
    ];

    /// <inheritdoc/>
    private protected override string What => Paths.Count switch
    {
        0 => "Everything",
        1 => Paths[0],
        int count => $"{Paths[0]} and {count - 1} more",
    };

    /// <inheritdoc/>
    internal override JobOrder WithSecrets(IReadOnlyList<JobSecret> secrets)
    {
        string? Find(string name) => secrets.FirstOrDefault(secret => secret.Name == name)?.Value;
        return this with { Passphrase = Find(PassphraseName), Vault = Vault is null ? null : Vault with { Secret = Find(VaultSecretName) } };
    }

    /// <inheritdoc/>
    internal override JobOrder ToWritten() => this with
    {
        Passphrase = null,
        TargetFolder = TargetFolder is null ? null : Path.GetFullPath(TargetFolder),
        Vault = Vault is null ? null : Vault with { Secret = null },
    };

    /// <inheritdoc/>
    internal override void Check(JobMachine machine)
    {
        if (TargetFolder is null && !machine.IsNamed(MachineName))
        {
            throw Missing(
                $"The items belong to another machine, '{MachineName}', and no folder was named to recover them into.",
                "Name a folder: New-OBRecoveryOption -DestinationPath.");
        }

        if (TargetFolder is null && OperatingSystem.IsWindows())
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "On Windows, this version recovers items only into a folder, not to their original location.",
                "Name a folder (New-OBRecoveryOption -DestinationPath), and move the items from there.");
        }

        RequirePassphrase(machine, Vault, Passphrase);
    }

    /// <summary>Refuses a vault that is not this machine's, where its passphrase was not given.</summary>
    /// <exception cref="BackupException">RecoveryOptionMissing.</exception>
    internal static void RequirePassphrase(JobMachine machine, VaultAddress? address, string? passphrase)
    {
        if (passphrase is null && address is { IsSecondary: false } vault && vault.Location != machine.Account.Registration?.VaultLocation)
        {
            throw Missing(
                $"The vault '{vault}' is not this machine's, and no passphrase was given.",
                "Give the passphrase of the machine whose items are to be recovered.");
        }
    }

    /// <inheritdoc/>
    internal override JobPlan Prepare(JobMachine machine)
    {
        Check(machine);
        return new JobPlan(monitor => SourceStatuses.OfRecovery(monitor, What), (work, stop) => RunAsync(machine, work, stop))
        {
            // Who says that what is there stays has asked for just that.
            IsExpected = item => Conflict == RestoreConflict.Skip && item.Id == BackupErrorId.RestoreItemExists,
        };
    }

    private async Task RunAsync(JobMachine machine, JobWork work, CancellationToken stop)
    {
        if (From == RestoreFrom.Local)
        {
            LocalPoint? local = await FindLocalAsync(machine, stop).ConfigureAwait(false);
            await RestoreAsync(local ?? throw NoLocal(), work, stop).ConfigureAwait(false);
            return;
        }

        UnlockedVault vault;
        try
        {
            vault = await OpenVaultAsync(machine, work.Monitor, stop).ConfigureAwait(false);
        }
        catch (BackupException e) when (From == RestoreFrom.Auto && LocalRestore.StandsIn(e))
        {
            if (await FindLocalAsync(machine, stop).ConfigureAwait(false) is not { } local)
            {
                throw;
            }

            await RestoreAsync(local, work, stop).ConfigureAwait(false);
            return;
        }

        using (vault)
        {
            work.ReadTraffic = () => vault.Traffic;
            await machine.Contact.AdmitRestoreAsync(vault.Vault, EvenDeprovisioned, stop).ConfigureAwait(false);
            RecoveryPoint point = await vault.GetPointAsync(PointId, MachineName, stop).ConfigureAwait(false);
            work.RecoveryPointId = point.SessionId;
            RestoreRequest request = Request(point);
            IndexedVault index = await vault.IndexAsync(stop, work.Monitor).ConfigureAwait(false);
            Settle(await index.RestoreAsync(request, work.Monitor, stop).ConfigureAwait(false), request, work);
        }
    }

    // What the vault cannot give now, or is not asked for.
    private async Task RestoreAsync(LocalPoint local, JobWork work, CancellationToken stop)
    {
        work.RecoveryPointId = local.Id;
        RestoreRequest request = Request(local.Point);
        Settle(await LocalRestore.RestoreAsync(local, request, work.Monitor, new VaultOptions(), stop).ConfigureAwait(false), request, work);
    }

    private async Task<LocalPoint?> FindLocalAsync(JobMachine machine, CancellationToken stop) =>
        Vault is null || Vault.Location == machine.Account.Registration?.VaultLocation
            ? LocalPoints.Find(await LocalPoints.ListAsync(machine.SnapshotRecords, stop).ConfigureAwait(false), PointId, MachineName)
            : null;

    private BackupException NoLocal() => new(
        BackupErrorId.RecoveryPointNotFound,
        $"'{MachineName}' has no local snapshots of a recovery point '{PointId}' on this machine.",
        "Recover from the vault: omit -From. Get-OBAllRecoveryPoints shows which points have local snapshots.",
        PointId);

    private RestoreRequest Request(RecoveryPoint point) => new()
    {
        Point = point,
        Paths = Paths,
        TargetFolder = TargetFolder ?? "/",
        Layout = TargetFolder is null ? RestoreLayout.FullPath : RestoreLayout.ItemName,
        Conflict = Conflict,
        CopyNames = CopyNames.Dated,
        SkipSecurity = SkipSecurity,
        MapNames = MapNames,
        Verify = Verify,
    };

    private static void Settle(RestoreResult result, RestoreRequest request, JobWork work)
    {
        if (result.Layout != request.Layout)
        {
            // All is there, but not where one looks for it.
            work.Warn(new BackupException(
                BackupErrorId.RestoredByFullPath,
                $"Some of the items have the same name, so all of them are in '{request.TargetFolder}' under their full paths instead of their names.",
                "Look for them there. To recover an item into the folder under its own name, recover it alone.",
                request.TargetFolder));
        }
    }

    private Task<UnlockedVault> OpenVaultAsync(JobMachine machine, JobMonitor monitor, CancellationToken stop) => OpenVaultAsync(machine, Vault, Passphrase, monitor, stop);

    /// <summary>Opens a vault for a recovery.</summary>
    /// <param name="machine">This machine.</param>
    /// <param name="vault">The vault; null for this machine's own.</param>
    /// <param name="passphrase">Its passphrase; null for this machine's own key.</param>
    /// <param name="monitor">The job's counters.</param>
    /// <param name="stop">Stops it.</param>
    internal static Task<UnlockedVault> OpenVaultAsync(JobMachine machine, VaultAddress? vault, string? passphrase, JobMonitor monitor, CancellationToken stop) =>
        passphrase is null && vault is { IsSecondary: true } copy ? machine.Vaults.OpenTwinAsync(copy, monitor, VaultPatience.Job, stop)
        : passphrase is null ? machine.Vaults.OpenAsync(monitor, VaultPatience.Job, stop)
        : machine.Vaults.OpenAsync(
            vault ?? machine.Account.Registration?.VaultLocation
                ?? throw Missing("No vault was named, and this machine is not registered with one.", "Name the vault, or register the machine with Start-OBRegistration."),
            passphrase,
            monitor,
            VaultPatience.Job,
            stop);

    private static BackupException Missing(string message, string action) => new(BackupErrorId.RecoveryOptionMissing, message, action);
}
