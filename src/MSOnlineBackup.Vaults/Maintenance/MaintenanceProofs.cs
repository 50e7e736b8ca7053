using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// What maintenance does about proofs: it reads a share of the packs, gathers many records into few, clears away those that tell nothing any more, and notes that it was there.
/// Each record goes only after one that says the same is there; so several may do it at once.
/// </summary>
/// <param name="store">The store, its index not read yet.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="clock">The clock.</param>
internal sealed class MaintenanceProofs(ChunkStore store, JobMonitor monitor, TimeProvider clock)
{
    private const int ManyPacks = 16;
    private const int ManyTrials = 128;
    private const int TrialsKept = 2;

    private bool _hasIndex;

    /// <summary>Follows a run that has done its work.</summary>
    /// <param name="done">What it did.</param>
    /// <param name="request">What it may do.</param>
    /// <param name="left">How long it may take; null for no limit.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What was done, with what was verified.</returns>
    public async Task<MaintenanceReport> FollowAsync(MaintenanceReport done, MaintenanceRequest request, TimeSpan? left, CancellationToken cancellationToken)
    {
        try
        {
            done = await VerifyAsync(done, request, left, cancellationToken).ConfigureAwait(false);
            ProofLog log = await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false);
            await TidyPacksAsync(log, cancellationToken).ConfigureAwait(false);
            await TidyTrialsAsync(log, cancellationToken).ConfigureAwait(false);
            await ProofLog.WriteAsync(store, ProofKind.Maintenance, [], cancellationToken).ConfigureAwait(false);
            await DeleteAsync(log.Of(ProofKind.Maintenance), cancellationToken).ConfigureAwait(false);
            return done;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            // What there was to free is freed.
            return done with { Unproven = e };
        }
    }

    private async Task<MaintenanceReport> VerifyAsync(MaintenanceReport done, MaintenanceRequest request, TimeSpan? left, CancellationToken cancellationToken)
    {
        int days = request.VerifyDays ?? await ReadDaysAsync(cancellationToken).ConfigureAwait(false);
        if (days == 0 || left <= TimeSpan.Zero)
        {
            return done;
        }

        await ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        var share = new ShareRequest { Days = days, MaxBytes = request.MaxVerifyBytes, MaxDuration = left };
        ShareReport verified = await new ShareVerifier(store, monitor, clock, isThrifty: true)
            .RunAsync(share, done.Packs.Lost, cancellationToken).ConfigureAwait(false);
        return done with
        {
            Verified = verified,
            Findings =
            [
                .. done.Findings.Concat(done.Packs.Lost.Select(Describe)).Concat(verified.Findings)
                    .DistinctBy(finding => finding.Object)
                    .OrderBy(finding => finding.Object, StringComparer.Ordinal),
            ],
        };
    }

    private VerifyFinding Describe((SessionId Session, uint Number) lost)
    {
        string name = VaultLayout.Pack(store.StoreId, lost.Session, lost.Number);
        return new VerifyFinding(name, VaultDamage.Missing(name, "Pack").Message, []);
    }

    // Where the settings cannot be read, the run has said so: what is read too much does no harm.
    private async Task<int> ReadDaysAsync(CancellationToken cancellationToken)
    {
        VaultSettings settings;
        try
        {
            settings = await new VaultSettingsRegister(store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            settings = new VaultSettings();
        }

        return settings.VerifyDaysOf(store.Objects.Location);
    }

    private async Task TidyPacksAsync(ProofLog log, CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredObject> sound = log.Of(ProofKind.Packs);
        IReadOnlyList<StoredObject> broken = log.Of(ProofKind.Damage);
        if (sound.Count <= ManyPacks && broken.Count == 0)
        {
            return;
        }

        await ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        PackProofs proofs = await log.ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        HashSet<(SessionId, uint)> damaged = [.. proofs.Damaged.Where(IsNamed)];
        if (damaged.Count < proofs.Broken.Count || broken.Count > 1)
        {
            await ReplaceAsync(ProofKind.Damage, proofs.Broken.Where(pack => damaged.Contains(pack.Key)), broken, cancellationToken).ConfigureAwait(false);
        }

        if (sound.Count > ManyPacks)
        {
            await ReplaceAsync(ProofKind.Packs, proofs.Sound.Where(pack => IsNamed(pack.Key)), sound, cancellationToken).ConfigureAwait(false);
        }
    }

    // Of each machine the newest stay.
    private async Task TidyTrialsAsync(ProofLog log, CancellationToken cancellationToken)
    {
        if (log.Of(ProofKind.Restore).Count > ManyTrials)
        {
            IReadOnlyList<(TrialProof Trial, StoredObject Object)> trials = await log.ReadTrialsAsync(cancellationToken).ConfigureAwait(false);
            IEnumerable<StoredObject> old = trials.GroupBy(trial => trial.Trial.MachineId)
                .SelectMany(machine => machine.OrderByDescending(trial => trial.Object.Created).Skip(TrialsKept)).Select(trial => trial.Object);
            await DeleteAsync(old, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReplaceAsync(
        ProofKind kind, IEnumerable<KeyValuePair<(SessionId Session, uint Number), DateTimeOffset>> packs, IEnumerable<StoredObject> replaced, CancellationToken cancellationToken)
    {
        await ProofLog.WritePacksAsync(store, kind, packs.OrderBy(pack => pack.Key).Select(pack => (pack.Key, (DateTimeOffset?)pack.Value)), cancellationToken).ConfigureAwait(false);
        await DeleteAsync(replaced, cancellationToken).ConfigureAwait(false);
    }

    private async Task DeleteAsync(IEnumerable<StoredObject> records, CancellationToken cancellationToken)
    {
        foreach (StoredObject record in records)
        {
            await store.Deletion.TryDeleteAsync(record.Name, cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsNamed((SessionId Session, uint Number) pack) => store.Index.TryGetPack(pack.Session, pack.Number, out _);

    private async Task ReadIndexAsync(CancellationToken cancellationToken)
    {
        if (!_hasIndex)
        {
            await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
            _hasIndex = true;
        }
    }
}
