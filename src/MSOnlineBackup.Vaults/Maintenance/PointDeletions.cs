using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Recovery points that are deleted and can be brought back. A deleted point is in no list and nothing goes on from it, but its data stay for the time that the vault's owner
/// has set; then maintenance ends it for good. Every failure is a <see cref="BackupException"/>.
/// </summary>
public sealed class PointDeletions
{
    private readonly ChunkStore _store;
    private readonly Action<VaultUse> _allow;
    private readonly DeletionLog _log;
    private readonly RecoveryPointCatalog _catalog;
    private readonly VaultGuard _guard;

    internal PointDeletions(ChunkStore store, Action<VaultUse> allow)
    {
        _store = store;
        _allow = allow;
        _log = new DeletionLog(store);
        _catalog = new RecoveryPointCatalog(store);
        _guard = new VaultGuard(store.Vault);
    }

    /// <summary>The points that can be brought back, newest first.</summary>
    /// <param name="machineName">Only those of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<DeletedPoint>> ListAsync(string? machineName, CancellationToken cancellationToken)
    {
        Task<TimeSpan> setting = ReadUndeleteTimeAsync(cancellationToken);
        List<PointName> names = await _catalog.ListDecidedAsync(await IdOfAsync(machineName, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        TimeSpan kept = await setting.ConfigureAwait(false);
        var deleted = new List<(PointName Name, Deletion Deletion)>();
        await foreach ((PointName name, Deletion deletion) in _catalog.ReadDecisionsAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (deletion.State == DeletionState.Deleted)
            {
                deleted.Add((name, deletion));
            }
        }

        var found = new List<DeletedPoint>();
        await foreach (DeletedPoint point in ReadAhead.SelectAsync(
            deleted,
            _store.Objects.Capabilities.MaxConcurrency,
            async (each, token) => Describe(each.Name, (await _catalog.ReadAsync([each.Name], token).FirstOrDefaultAsync(token).ConfigureAwait(false)).Point, each.Deletion, kept),
            cancellationToken).ConfigureAwait(false))
        {
            found.Add(point);
        }

        return found;
    }

    /// <summary>For how long a deleted point can be brought back at least: what the vault's owner has set. Where that cannot be read nothing ends, and this is the least there is.</summary>
    public async Task<TimeSpan> ReadUndeleteTimeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return TimeSpan.FromDays((await new VaultSettingsRegister(_store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false)).UndeleteDays);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return TimeSpan.FromDays(VaultSettings.LeastUndeleteDays);
        }
    }

    /// <summary>Deletes a point; where it is deleted already, nothing changes.</summary>
    /// <param name="point">The point.</param>
    /// <param name="reason">Why, for whoever looks at what was deleted: at most 1,024 characters.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, see <see cref="GuardedOperation.DeletePoints"/>; null for nothing.</param>
    /// <exception cref="BackupException">RecoveryPointIsNewest: its machine has no newer one that can be read. SecurityPinRejected, ApprovalRejected, VaultImmutable,
    /// RecoveryPointGone, RecoveryPointNotFound, VaultAccessDenied, …</exception>
    public async Task<DeletedPoint> DeleteAsync(RecoveryPoint point, string reason, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(point);
        return (await DeleteManyAsync([point], reason, evenNewest: false, cancellationToken, consent).ConfigureAwait(false))[0];
    }

    /// <summary>Deletes a point that cannot be read. The machine's newest may be one.</summary>
    /// <inheritdoc cref="DeleteAsync(RecoveryPoint, string, CancellationToken, Consent)"/>
    public async Task<DeletedPoint> DeleteAsync(DamagedPoint point, string reason, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentNullException.ThrowIfNull(point);
        return (await DeleteManyAsync([], reason, evenNewest: false, cancellationToken, consent, [point]).ConfigureAwait(false))[0];
    }

    /// <summary>Deletes points, the oldest first. Where it is stopped, some are deleted, and doing it again goes on.</summary>
    /// <param name="points">The points, in any order.</param>
    /// <param name="reason">Why: at most 1,024 characters.</param>
    /// <param name="evenNewest">Whether the newest point of a machine may be among them. Where it may not and is, none is deleted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="consent">What the vault asks for before this, once for all of the points; null for nothing.</param>
    /// <param name="damaged">Points that cannot be read and are to be deleted with them; null for none.</param>
    /// <exception cref="BackupException">RecoveryPointIsNewest, SecurityPinRejected, ApprovalRejected, VaultImmutable, RecoveryPointGone, RecoveryPointNotFound, VaultAccessDenied, …</exception>
    public Task<IReadOnlyList<DeletedPoint>> DeleteManyAsync(
        IReadOnlyCollection<RecoveryPoint> points,
        string reason,
        bool evenNewest,
        CancellationToken cancellationToken,
        Consent? consent = null,
        IReadOnlyCollection<DamagedPoint>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        return DeleteAsync(
            [.. points.Select(point => (point.MachineId, point.SessionId)), .. (damaged ?? []).Select(point => (point.MachineId, point.SessionId))],
            reason,
            evenNewest,
            (settings, names) => RequireAsync(settings, names, consent, cancellationToken),
            cancellationToken);
    }

    /// <summary>Deletes points that no rule keeps any more, the oldest first: what was agreed to when the rules were made. None of them may be immutable.</summary>
    /// <inheritdoc cref="DeleteManyAsync" path="/param"/>
    /// <param name="due">Of those that go before the time that they were made for, because retention was shortened since: that time; null for none.</param>
    internal Task<IReadOnlyList<DeletedPoint>> DeleteExpiredAsync(
        IReadOnlyCollection<RecoveryPoint> points, string reason, CancellationToken cancellationToken, IReadOnlyDictionary<SessionId, DateTimeOffset>? due = null) => DeleteAsync(
        [.. points.Select(point => (point.MachineId, point.SessionId))],
        reason,
        evenNewest: false,
        (settings, names) =>
        {
            RefuseImmutable(settings, names);
            return Task.CompletedTask;
        },
        cancellationToken,
        due);

    /// <summary>Deletes all points of a machine, the newest and those that cannot be read included. Returns how many were not deleted before.</summary>
    /// <param name="machineName">The machine, in upper or lower case.</param>
    /// <param name="reason">Why: at most 1,024 characters.</param>
    /// <param name="cancellationToken">Stops it. Then some are deleted, and doing it again goes on.</param>
    /// <param name="consent">What the vault asks for before this; null for nothing.</param>
    /// <exception cref="BackupException">SecurityPinRejected, ApprovalRejected, VaultImmutable, VaultAccessDenied, …</exception>
    public async Task<int> DeleteMachineAsync(string machineName, string reason, CancellationToken cancellationToken, Consent? consent = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(machineName);
        Begin(reason);
        List<PointName> names = await _catalog.ListAllAndLossesAsync(await IdOfAsync(machineName, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var shown = new List<PointName>();
        await foreach (PointReading reading in _catalog.ReadShownAsync(names, cancellationToken).ConfigureAwait(false))
        {
            shown.Add(reading.Name);
        }

        if (shown.Count > 0)
        {
            await RequireAsync(await _guard.ReadSettingsAsync(cancellationToken).ConfigureAwait(false), shown, consent, cancellationToken).ConfigureAwait(false);
        }

        await DeleteAsync(shown, Decide(names, reason), cancellationToken).ConfigureAwait(false);
        return shown.Count;
    }

    /// <summary>Brings a deleted point back.</summary>
    /// <param name="idPrefix">The beginning of its id.</param>
    /// <param name="machineName">Only points of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// RecoveryPointNotFound, RecoveryPointAmbiguous; RecoveryPointGone: its time is over; VaultDataCorrupt, VaultDataMissing, … where the point cannot be read, and it stays deleted;
    /// VaultAccessDenied, …
    /// </exception>
    public async Task<RecoveryPoint> RestoreAsync(string idPrefix, string? machineName, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(idPrefix);
        _allow(VaultUse.Write);
        PointName name = await FindAsync(idPrefix, await IdOfAsync(machineName, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        PointReading reading = await _catalog.ReadAsync([name], cancellationToken).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false);
        Deletion now = await _log.DecideAsync(
            name.Decisions!,
            current => current switch
            {
                { State: DeletionState.Gone or DeletionState.Restored } or { State: null, Damage: null } => null,
                _ => reading.Point is null
                    ? throw reading.Damage ?? VaultDamage.LostPoint(VaultLayout.Point(_store.StoreId, name.MachineId, name.SessionId))
                    : new DeletionRecord(DeletionState.Restored, string.Empty, Product.Version),
            },
            cancellationToken).ConfigureAwait(false);

        // Whoever ended it may have deleted everything, what was decided before included, while this looked.
        return now.State != DeletionState.Gone && reading.Point is { } point
            && await _store.Objects.StatAsync(reading.Name.Object!.Value.Name, cancellationToken).ConfigureAwait(false) is not null
                ? point
                : throw EndedPoints.Gone(name.SessionId);
    }

    /// <summary>Ends what is over: see <see cref="PointExpiry"/>.</summary>
    internal Task<ExpiryReport> ExpireAsync(DateTimeOffset now, SessionId? ownSession, bool isRehearsal, CancellationToken cancellationToken) =>
        new PointExpiry(_store, _allow).RunAsync(now, ownSession, isRehearsal, cancellationToken);

    private async Task<IReadOnlyList<DeletedPoint>> DeleteAsync(
        HashSet<(MachineId MachineId, SessionId SessionId)> wanted,
        string reason,
        bool evenNewest,
        Func<VaultSettings, List<PointName>, Task> requireAsync,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<SessionId, DateTimeOffset>? due = null)
    {
        Begin(reason);
        Task<VaultSettings> reading = _guard.ReadSettingsAsync(cancellationToken);
        MachineId[] machines = [.. wanted.Select(point => point.MachineId).Distinct()];
        List<PointName> names = await _catalog.ListAllAndLossesAsync(machines.Length == 1 ? machines[0] : null, cancellationToken).ConfigureAwait(false);
        VaultSettings settings = await reading.ConfigureAwait(false);
        List<PointName> chosen = names.FindAll(name => wanted.Contains((name.MachineId, name.SessionId)));
        if (wanted.Except(chosen.Select(name => (name.MachineId, name.SessionId))).Select(point => (SessionId?)point.SessionId).FirstOrDefault() is { } missing)
        {
            throw new BackupException(
                BackupErrorId.RecoveryPointNotFound, $"The vault has no recovery point '{missing}' any more.", "'obengine points' or 'Get-OBAllRecoveryPoints' lists those that are there.", missing.ToString());
        }

        foreach (MachineId machine in evenNewest ? [] : machines)
        {
            PointReading newest = await _catalog.ReadShownAsync(names.Where(name => name.MachineId == machine), cancellationToken)
                .FirstOrDefaultAsync(reading => reading.Point is not null, cancellationToken).ConfigureAwait(false);
            if (newest.Point is { } point && wanted.Contains((machine, point.SessionId)))
            {
                throw new BackupException(
                    BackupErrorId.RecoveryPointIsNewest,
                    $"The recovery point {point.SessionId.ToShortString()} is the newest of '{point.MachineName}' that can be read, and is not deleted: the next backup goes on from it.",
                    "Back up once more, then delete it. 'Remove-OBPolicy -DeleteBackup' deletes all that a policy has made.",
                    point.SessionId.ToString());
            }
        }

        if (chosen.Count > 0)
        {
            await requireAsync(settings, chosen).ConfigureAwait(false);
        }

        var kept = TimeSpan.FromDays(settings.UndeleteDays);
        Dictionary<(MachineId, SessionId), Deletion> deleted = await DeleteAsync(chosen, Decide(names, reason), cancellationToken, due).ConfigureAwait(false);
        return [.. chosen.Select(name => Describe(name, null, deleted[(name.MachineId, name.SessionId)], kept))];
    }

    private Task RequireAsync(VaultSettings settings, List<PointName> names, Consent? consent, CancellationToken cancellationToken)
    {
        RefuseImmutable(settings, names);
        return _guard.RequireAsync(settings, GuardedOperation.DeletePoints, consent, cancellationToken);
    }

    // By the clock at hand, so that who asks is told at once. What is deleted all the same does not end before its time: PointExpiry goes by what the vault bears out.
    private void RefuseImmutable(VaultSettings settings, List<PointName> names)
    {
        DateTimeOffset now = _store.Vault.Clock.GetUtcNow();
        if (settings.ImmutableTime is { } time && names.FirstOrDefault(name => name.Object is { } found && now - found.Created < time) is { Object: not null } young)
        {
            throw _guard.Immutable($"The recovery point {young.SessionId.ToShortString()} is not deleted", settings);
        }
    }

    // The oldest first: whatever interrupts it, the newest are those that stay.
    private async Task<Dictionary<(MachineId MachineId, SessionId SessionId), Deletion>> DeleteAsync(
        List<PointName> names, DeletionRecord decision, CancellationToken cancellationToken, IReadOnlyDictionary<SessionId, DateTimeOffset>? due = null)
    {
        var deleted = new Dictionary<(MachineId, SessionId), Deletion>();
        await foreach ((PointName name, Deletion deletion) in ReadAhead.SelectAsync(
            names.AsEnumerable().Reverse(),
            _store.Objects.Capabilities.MaxConcurrency,
            async (name, token) => (name, await _log.DecideAsync(
                name.Decisions ?? new DeletionSeries(name.MachineId, name.SessionId, []),
                current => current.State switch
                {
                    DeletionState.Gone => throw EndedPoints.Gone(name.SessionId),
                    DeletionState.Deleted => null,
                    _ => decision with { Due = due?.TryGetValue(name.SessionId, out DateTimeOffset time) == true ? time : null },
                },
                token).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false))
        {
            deleted.Add((name.MachineId, name.SessionId), deletion);
        }

        return deleted;
    }

    private async Task<PointName> FindAsync(string idPrefix, MachineId? machineId, CancellationToken cancellationToken)
    {
        List<PointName> names = await _catalog.ListDecidedAsync(machineId, cancellationToken).ConfigureAwait(false);
        PointName? found = null;
        SessionId? gone = null;
        await foreach ((PointName name, Deletion deletion) in _catalog.ReadDecisionsAsync(
            names.Where(name => name.SessionId.BeginsWith(idPrefix)), cancellationToken).ConfigureAwait(false))
        {
            // What cannot be read counts as not deleted; bringing the point back says that once and for all.
            if (deletion.State == DeletionState.Deleted || (deletion.State is null && deletion.Damage is not null))
            {
                found = found is not { } other ? name : throw new BackupException(
                    BackupErrorId.RecoveryPointAmbiguous,
                    $"More than one deleted recovery point begins with '{idPrefix}': {other.SessionId} and {name.SessionId}, perhaps others.",
                    "Give more digits of the id.",
                    idPrefix);
            }
            else if (deletion.State == DeletionState.Gone)
            {
                gone = name.SessionId;
            }
        }

        return found ?? throw (gone is { } ended ? EndedPoints.Gone(ended) : new BackupException(
            BackupErrorId.RecoveryPointNotFound,
            $"No deleted recovery point begins with '{idPrefix}'.",
            "'obengine points deleted' or 'Get-OBDeletedRecoveryPoint' lists those that can be brought back.",
            idPrefix));
    }

    private void Begin(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        _allow(VaultUse.Write);
        if (reason.Length > RecoveryPointCodec.MaxTextLength)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"The reason has {reason.Length:N0} characters; it may have {RecoveryPointCodec.MaxTextLength:N0}.", "Make it shorter.");
        }
    }

    private static DeletionRecord Decide(List<PointName> names, string reason) => new(
        DeletionState.Deleted,
        reason,
        Product.Version,
        WitnessedTime.Of(names.SelectMany(name => (name.Decisions?.Records ?? []).Select(record => record.Object.Created).Concat(name.Object is { } found ? [found.Created] : []))));

    private async Task<MachineId?> IdOfAsync(string? machineName, CancellationToken cancellationToken) =>
        machineName is null ? null : await new MachineDirectory(_store.Vault).FindIdAsync(machineName, _store.Keys, cancellationToken).ConfigureAwait(false);

    private static DeletedPoint Describe(PointName name, RecoveryPoint? point, Deletion deletion, TimeSpan kept) =>
        new(name.SessionId, name.MachineId, point, deletion.Since, Add(deletion.Since, kept), deletion.Reason);

    private static DateTimeOffset Add(DateTimeOffset time, TimeSpan span) => span < DateTimeOffset.MaxValue - time ? time + span : DateTimeOffset.MaxValue;
}
