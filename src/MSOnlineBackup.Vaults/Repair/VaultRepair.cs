using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Mends a chunk store beside jobs that write and read: docs/design.md has how, and why it is safe. What opens in damaged packs is written anew, then they are condemned as
/// maintenance condemns what nobody needs: from then on nothing relies on them, and a backup stores again what its sources still have of what is lost. It can be stopped at
/// any instant, and the next run goes on.
/// </summary>
/// <param name="open">Gives the store anew: nothing of it read.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="request">What it looks at.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="rescue">Gives what no pack has; null for nobody.</param>
/// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
internal sealed class VaultRepair(Func<ChunkStore> open, VaultOptions options, RepairRequest request, JobMonitor monitor, IPackRescue? rescue, Action<VaultUse> allow)
{
    // Others who condemn something at the same time.
    private const int MostRaces = 5;

    // As fine as a share is.
    private const int Parts = 1 << 20;

    private readonly ProblemList _problems = new();
    private readonly HashSet<ChunkId> _lost = [];
    private readonly HashSet<string> _mended = new(StringComparer.Ordinal);
    private readonly HashSet<PackInfo> _read = new(ReferenceEqualityComparer.Instance);
    private RepairReport _report = new() { IsRehearsal = request.IsRehearsal };
    private Dictionary<PackInfo, BackupException> _damaged = new(ReferenceEqualityComparer.Instance);
    private IReadOnlyList<PackRepair> _repairs = [];
    private bool _isPending;

    /// <summary>Runs.</summary>
    public async Task<RepairReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        ChunkStore store = open();
        await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        if (request.IsRehearsal)
        {
            HashSet<PackInfo> named = [.. store.Index.Packs];
            await store.LookAsync(cancellationToken).ConfigureAwait(false);
            RecordedDamage recorded = await RecordedDamage.ReadAsync(store, cancellationToken).ConfigureAwait(false);
            CollectionRecords records = await FindAsync(store, pack => recorded.Contains(pack) || IsChosen(), cancellationToken).ConfigureAwait(false);
            CountIndexed(store, named);
            await SalvageAsync(store, null, records, cancellationToken).ConfigureAwait(false);
            CollectionView view = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
            NoteRestored(await new SecondCopies(store).FindAsync(view, cancellationToken).ConfigureAwait(false));
            NoteRestored(await new TwinRepair(store).RunAsync(isRehearsal: true, cancellationToken).ConfigureAwait(false));
            NoteRemoved(await FindBrokenAsync(store, view, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            allow(VaultUse.Write);
            await MendAsync(store, cancellationToken).ConfigureAwait(false);
            await FinishAsync(cancellationToken).ConfigureAwait(false);
        }

        return request.OnlyWhole ? _report : await TellAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task MendAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var announcement = new SessionAnnouncement(store, new SessionRecord { MachineId = null, Started = options.TimeProvider.GetUtcNow(), AgentVersion = Product.Version });
        try
        {
            HashSet<PackInfo> named = [.. store.Index.Packs];
            await using (WriteSession session = await WriteSession.BeginAsync(
                store, announcement, monitor.Transfer, options.Workers, verifyOneIn: 0, cancellationToken).ConfigureAwait(false))
            {
                await TryDeletingAsync(store, session.Id, cancellationToken).ConfigureAwait(false);

                // What is known to be damaged is mended before the rest is read, which may take days.
                RecordedDamage recorded = await RecordedDamage.ReadAsync(store, cancellationToken).ConfigureAwait(false);
                if (recorded.IsAny)
                {
                    await CondemnAsync(store, session, named, recorded.Contains, cancellationToken, recorded.Note).ConfigureAwait(false);
                    named.UnionWith(store.Index.Packs);
                }

                if (!recorded.IsAny || !request.RecordedOnly)
                {
                    await CondemnAsync(store, session, named, pack => pack.Session != session.Id && IsChosen(), cancellationToken).ConfigureAwait(false);
                }

                await MendObjectsAsync(store, cancellationToken).ConfigureAwait(false);
                await recorded.SettleAsync(store, monitor, cancellationToken).ConfigureAwait(false);
            }

            _report = _report with { BytesWritten = monitor.Transfer.StoredBytes };
            await announcement.EndAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // A collector shuts it out otherwise: whatever comes of it.
            await announcement.TryEndAsync(failure, options.TimeProvider).ConfigureAwait(false);
            throw;
        }
    }

    // Who may only add does so much: what can be salvaged is, and nothing relies on what is damaged. The rest is the owner's.
    private async Task TryDeletingAsync(ChunkStore store, SessionId session, CancellationToken cancellationToken)
    {
        BackupException? denied = null;
        try
        {
            allow(VaultUse.Collect);
            denied = await CollectionRecords.TryDeletingAsync(store, session, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            denied = e;
        }

        if (denied is not null)
        {
            _report = _report with
            {
                Unfinished = $"Damaged objects were not deleted, because this identity may not delete from the vault. The vault's owner can, with 'obengine repair data' or 'obengine maintain'. {denied.Message}",
            };
        }
    }

    // Salvage first, then condemn: at every instant all that can be read has a place that counts.
    private async Task CondemnAsync(
        ChunkStore store, WriteSession session, HashSet<PackInfo> named, Func<PackInfo, bool> isChosen, CancellationToken cancellationToken, Action<PackInfo, bool>? verified = null)
    {
        monitor.Enter(JobPhase.Verifying);
        CollectionRecords records = await FindAsync(store, isChosen, cancellationToken, verified).ConfigureAwait(false);
        CountIndexed(store, named);
        monitor.Enter(JobPhase.Transferring);
        for (int races = 0; ; races++)
        {
            await SalvageAsync(store, session, records, cancellationToken).ConfigureAwait(false);

            // No segment names what is damaged, or about to go, for the first time.
            store.Index.Forget(store.Index.Packs.Where(pack => !pack.IsAvailable).ToHashSet());
            await session.FlushAsync(cancellationToken).ConfigureAwait(false);
            _isPending = records.All.Any(collection => collection is { Condemned: not null, IsDone: false });
            if (_damaged.Count == 0)
            {
                _repairs = _report.Packs;
                return;
            }

            if (await records.TryCondemnAsync([.. _damaged.Keys.Select(KeyOf)], cancellationToken).ConfigureAwait(false) is { } number)
            {
                CollectionView now = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
                await CollectionRecords.SettleWaitAsync(store, number, now.Open.Where(other => other != session.Id).ToHashSet(), cancellationToken).ConfigureAwait(false);
                _isPending = true;
                _repairs = _report.Packs;
                return;
            }

            if (races == MostRaces)
            {
                throw new BackupException(
                    BackupErrorId.SessionFenced,
                    $"Others have condemned packs of the vault {MostRaces} times while this repair was about to (session {session.Id}). What it salvaged is stored; nothing was deleted.",
                    "Run it again when no maintenance is under way.",
                    session.Id.ToString(),
                    transient: true);
            }

            records = await ReadRecordsAsync(store, cancellationToken).ConfigureAwait(false);
        }
    }

    // Before anything is written: what was taken in from the packs themselves.
    private void CountIndexed(ChunkStore store, HashSet<PackInfo> named) =>
        _report = _report with { PacksIndexed = _report.PacksIndexed + store.Index.Packs.Count(pack => pack.IsAvailable && !_damaged.ContainsKey(pack) && !named.Contains(pack)) };

    private async Task<CollectionRecords> FindAsync(
        ChunkStore store, Func<PackInfo, bool> isChosen, CancellationToken cancellationToken, Action<PackInfo, bool>? verified = null)
    {
        CollectionRecords records = await ReadRecordsAsync(store, cancellationToken).ConfigureAwait(false);
        IReadOnlySet<(SessionId Session, uint Number)> condemned = records.Condemned;
        await FindMissingAsync(store, condemned, cancellationToken).ConfigureAwait(false);
        HashSet<PackInfo> chosen = [.. store.Index.Packs.Where(pack => pack.IsKnown && (pack.IsAvailable || condemned.Contains(KeyOf(pack))))];
        chosen.RemoveWhere(pack => _read.Contains(pack) || !isChosen(pack));
        var verifier = new PackVerifier(store, monitor, _problems, isGoing: pack => condemned.Contains(KeyOf(pack)));
        _lost.UnionWith(await verifier.RunAsync(cancellationToken, chosen, verified: verified).ConfigureAwait(false));
        _read.UnionWith(chosen);
        foreach ((PackInfo pack, BackupException damage) in verifier.Damaged)
        {
            if (!condemned.Contains(KeyOf(pack)) && damage.Id != BackupErrorId.VaultDataUnreadable)
            {
                _damaged[pack] = damage;
            }
        }

        _report = _report with { PacksRead = _report.PacksRead + verifier.Packs, BytesRead = _report.BytesRead + verifier.Bytes };
        return records;
    }

    private bool IsChosen() => !request.RecordedOnly && RandomNumberGenerator.GetInt32(Parts) < request.Share * Parts;

    // A pack that is there no more, or not with its length, is damaged where a segment that is there names it. A listing is not believed.
    private async Task FindMissingAsync(ChunkStore store, IReadOnlySet<(SessionId Session, uint Number)> condemned, CancellationToken cancellationToken)
    {
        IReadOnlySet<string> segments = await store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        IEnumerable<PackInfo> named = store.SegmentPacks.Where(segment => segments.Contains(segment.Key)).SelectMany(segment => segment.Value).Distinct();
        foreach (PackInfo pack in named.Where(pack => pack is { IsKnown: true, IsAvailable: false } && !condemned.Contains(KeyOf(pack))).ToList())
        {
            string name = store.NameOf(pack);
            StoredObject? found = await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false);
            if (found?.Length != pack.Length)
            {
                _damaged[pack] = found is null ? VaultDamage.Missing(name, "Pack") : VaultDamage.Corrupt(name, $"it has {found.Value.Length} bytes instead of {pack.Length}");
            }
        }
    }

    private async Task SalvageAsync(ChunkStore store, WriteSession? session, CollectionRecords records, CancellationToken cancellationToken)
    {
        // What somebody else has condemned meanwhile is dealt with.
        IReadOnlySet<(SessionId Session, uint Number)> condemned = records.Condemned;
        _mended.UnionWith(_damaged.Keys.Where(pack => condemned.Contains(KeyOf(pack))).Select(store.NameOf));
        _damaged = new Dictionary<PackInfo, BackupException>(_damaged.Where(pack => !condemned.Contains(KeyOf(pack.Key))), ReferenceEqualityComparer.Instance);
        foreach (PackInfo pack in _damaged.Keys)
        {
            pack.IsAvailable = false;
        }

        if (request.OnlyWhole)
        {
            var trial = new PackSalvage(store, null, rescue);
            await trial.RunAsync(_damaged, cancellationToken).ConfigureAwait(false);
            LeavePoorer(store, trial);
        }

        var salvage = new PackSalvage(store, session, rescue);
        await salvage.RunAsync(_damaged, cancellationToken).ConfigureAwait(false);
        bool IsNew(BackupException damage) => IsOfUnknownPack(store, damage) && _repairs.All(done => done.Object != damage.Target);
        foreach (BackupException damage in store.Damage.Where(IsNew))
        {
            await salvage.RescueUnknownAsync(damage, cancellationToken).ConfigureAwait(false);
        }

        foreach ((PackInfo pack, BackupException damage) in salvage.Unreadable)
        {
            _problems.Note(damage);
            _damaged.Remove(pack);
        }

        LeavePoorer(store, salvage);
        _lost.ExceptWith(salvage.Safe);
        _lost.UnionWith(salvage.Lost);
        _mended.UnionWith(salvage.Repairs.Select(repair => repair.Object));
        _report = _report with { Packs = [.. _repairs, .. salvage.Repairs] };
    }

    // They count again: what opens in them is theirs alone.
    private void LeavePoorer(ChunkStore store, PackSalvage salvage)
    {
        HashSet<string> poorer = request.OnlyWhole ? [.. salvage.Repairs.Where(repair => repair.Lost > 0).Select(repair => repair.Object)] : [];
        foreach (PackInfo pack in _damaged.Keys.Where(pack => poorer.Contains(store.NameOf(pack))).ToList())
        {
            pack.IsAvailable = _damaged[pack].Id != BackupErrorId.VaultDataMissing;
            _damaged.Remove(pack);
        }
    }

    private static bool IsOfUnknownPack(ChunkStore store, BackupException damage) =>
        damage is { Id: BackupErrorId.VaultDataCorrupt, Target: { } name }
        && VaultLayout.KindOf(name, out _) == StoredKind.Pack
        && VaultLayout.TryParseNumbered(name, out SessionId session, out uint number)
        && !store.Index.TryGetPack(session, number, out _);

    // Nothing of what somebody has condemned is relied on.
    private static async Task<CollectionRecords> ReadRecordsAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        CollectionRecords records = await CollectionRecords.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        foreach ((SessionId session, uint number) in records.Condemned)
        {
            if (store.Index.TryGetPack(session, number, out PackInfo? pack))
            {
                pack.IsAvailable = false;
            }
        }

        return records;
    }

    private async Task MendObjectsAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        CollectionView view = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
        List<PointName> points = await new RecoveryPointCatalog(store).ListNamesAsync(null, cancellationToken).ConfigureAwait(false);
        foreach (PointName point in points.Where(point => point.Decisions is null && point.Object is { Length: > SealedObject.LongestFence } && !view.IsConfirmed(point.SessionId)))
        {
            if (await store.Objects.TryCreateAsync(VaultLayout.Commit(store.StoreId, point.MachineId, point.SessionId), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false))
            {
                _report = _report with { CommitsRestored = _report.CommitsRestored + 1 };
            }
        }

        if (_report.Unfinished is null)
        {
            var copies = new SecondCopies(store);
            NoteRestored([.. await (await copies.FindAsync(view, cancellationToken).ConfigureAwait(false)).ToAsyncEnumerable()
                .Where(async (name, token) => await copies.TryRestoreAsync(name, token).ConfigureAwait(false)).ToListAsync(cancellationToken).ConfigureAwait(false)]);
            NoteRestored(await new TwinRepair(store).RunAsync(isRehearsal: false, cancellationToken).ConfigureAwait(false));
            IReadOnlyList<string> broken = await FindBrokenAsync(store, view, cancellationToken).ConfigureAwait(false);
            var removed = new List<string>();
            foreach (string name in broken)
            {
                if (await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false))
                {
                    removed.Add(name);
                }
            }

            NoteRemoved(removed);
        }
    }

    // What was restored is not broken any more; in a rehearsal it would not be.
    private async Task<IReadOnlyList<string>> FindBrokenAsync(ChunkStore store, CollectionView view, CancellationToken cancellationToken) =>
    [
        .. (await new BrokenObjects(store).FindAsync(view, cancellationToken).ConfigureAwait(false)).Where(name => !_mended.Contains(name)),
        .. await new BrokenParity(store).FindAsync(view, request.Share, cancellationToken).ConfigureAwait(false),
    ];

    private void NoteRestored(IReadOnlyList<string> restored)
    {
        _mended.UnionWith(restored);
        _report = _report with { ObjectsRestored = _report.ObjectsRestored + restored.Count };
    }

    private void NoteRemoved(IReadOnlyList<string> broken)
    {
        _mended.UnionWith(broken);
        _report = _report with { ObjectsRemoved = broken.Count };
    }

    // Decides what may be decided, deletes it, and rewrites the segments that name it, as maintenance does.
    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (_isPending && _report.Unfinished is null)
        {
            var deciding = new MaintenanceRequest { OnlyDecides = true, ShutOutAfter = TimeSpan.MaxValue };
            MaintenanceReport done = await new Collector(open(), options, deciding, monitor, allow).RunAsync(cancellationToken).ConfigureAwait(false);
            _report = _report with { PacksDeleted = done.Packs.Deleted, WaitingFor = done.WaitingFor };
        }
    }

    // What is left, by a look at the whole: file by file, point by point.
    private async Task<RepairReport> TellAsync(CancellationToken cancellationToken)
    {
        ChunkStore store = open();
        await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        VerifyReport left = await new StoreVerifier(store, monitor, CollectionRecords.FindDamageAsync)
            .RunAsync(VerifyLevel.Structure, cancellationToken, _lost).ConfigureAwait(false);
        IEnumerable<VerifyFinding> untouched = _problems.ToFindings().Where(found => !_mended.Contains(found.Object) && left.Findings.All(other => other.Object != found.Object));
        IEnumerable<VerifyFinding> findings = left.Findings.Concat(untouched);
        if (request.IsRehearsal)
        {
            // It would be gone.
            findings = findings.Where(found => !_mended.Contains(found.Object) && !found.Object.EndsWith('/'));
        }

        return _report with { Findings = [.. findings.OrderBy(finding => finding.Object, StringComparer.Ordinal)] };
    }

    private static (SessionId Session, uint Number) KeyOf(PackInfo pack) => (pack.Session, pack.Number);
}
