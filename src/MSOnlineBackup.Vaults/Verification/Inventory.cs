using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Everything that lies in a vault, by its kind, and what is wrong with what can be read without a key. The parts of a verification that need one ask it what
/// is there.
/// </summary>
/// <param name="objects">The vault.</param>
/// <param name="header">Its header; null where that is damaged.</param>
/// <param name="problems">Gets what is wrong.</param>
internal sealed class Inventory(IVaultStore objects, VaultHeader? header, ProblemList problems)
{
    private readonly ConcurrentBag<SessionRecord> _sessions = [];
    private readonly ConcurrentDictionary<string, BackupException> _doubtful = new(StringComparer.Ordinal);
    private readonly Dictionary<string, uint> _newest = new(StringComparer.Ordinal);
    private readonly HashSet<SessionId> _committed = [];
    private readonly HashSet<(StoreId Store, SessionId Session)> _ended = [];
    private readonly Dictionary<SessionId, (StoreId StoreId, MachineId MachineId)> _confirmed = [];
    private readonly HashSet<SessionId> _decided = [];
    private readonly List<(StoreId StoreId, PointName Point)> _missing = [];
    private readonly List<string> _strangers = [];
    private int _leftovers;

    /// <summary>Objects of any kind.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of plain objects that were read.</summary>
    public long Bytes { get; private set; }

    /// <summary>Objects that no vault has.</summary>
    public long StrangerCount { get; private set; }

    /// <summary>Some of their names.</summary>
    public IReadOnlyList<string> Strangers => _strangers;

    /// <summary>Broken objects that nothing needs.</summary>
    public int Leftovers => _leftovers;

    /// <summary>Whether anything was ever decided on the deletion of a session's point.</summary>
    public bool IsDecided(SessionId session) => _decided.Contains(session);

    /// <summary>Sessions that have a recovery point, by its name.</summary>
    public IReadOnlySet<SessionId> Committed => _committed;

    /// <summary>
    /// The records of a chunk store's sessions that can be read, of those that have and had no recovery point, and did not say that they would have none.
    /// </summary>
    public IEnumerable<SessionRecord> WithoutPoint(StoreId storeId) => _sessions.Where(session =>
        session.StoreId == storeId
        && !_committed.Contains(session.SessionId)
        && !_confirmed.ContainsKey(session.SessionId)
        && !_decided.Contains(session.SessionId)
        && !_ended.Contains((storeId, session.SessionId)));

    /// <summary>Lists the vault, and looks at each plain object.</summary>
    /// <param name="visit">Gets each object with its kind and chunk store. May be called from any thread.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task TakeAsync(Func<StoredObject, StoredKind, StoreId?, CancellationToken, ValueTask> visit, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = objects.Capabilities.MaxConcurrency };
        await Parallel.ForEachAsync(ListAsync(cancellationToken), options, async (found, token) =>
        {
            if (PlainObjects.Knows(found.Kind))
            {
                await CheckAsync(found.Object, token).ConfigureAwait(false);
            }

            await visit(found.Object, found.Kind, found.StoreId, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        foreach ((string name, BackupException damage) in _doubtful)
        {
            Judge(name, damage, isNeeded: false);
        }

        foreach ((SessionId session, (StoreId storeId, MachineId machineId)) in _confirmed.Where(confirmed => !_committed.Contains(confirmed.Key)))
        {
            // It may have been made while the vault was listed, or ended: then its commit went before it.
            if (await objects.StatAsync(VaultLayout.Point(storeId, machineId, session), cancellationToken).ConfigureAwait(false) is not { Length: > SealedObject.LongestFence }
                && await objects.StatAsync(VaultLayout.Commit(storeId, machineId, session), cancellationToken).ConfigureAwait(false) is not null)
            {
                _missing.Add((storeId, new PointName(machineId, session, null)));
            }
        }
    }

    /// <summary>Says which points were made, as the vault says, and are not there. Once the vault is listed.</summary>
    /// <param name="isDeleted">Whether somebody has deleted one.</param>
    public void NoteLosses(Func<StoreId, PointName, bool> isDeleted)
    {
        foreach ((StoreId storeId, PointName point) in _missing.Where(missing => !isDeleted(missing.StoreId, missing.Point)))
        {
            problems.Note(VaultDamage.LostPoint(VaultLayout.Point(storeId, point.MachineId, point.SessionId)));
        }
    }

    /// <summary>Says what is to be said of a broken object: a problem, unless nothing needs it. Once the vault is listed; from any thread.</summary>
    /// <param name="name">The object.</param>
    /// <param name="damage">What is wrong with it.</param>
    /// <param name="isNeeded">Whether something is known to need it.</param>
    public void Judge(string name, BackupException damage, bool isNeeded)
    {
        string folder = name[..(name.LastIndexOf('/') + 1)];
        string last = name[folder.Length..];

        // Torn by the crash of a job that made no point; or a record that a newer one has replaced.
        bool isLeftover = VaultLayout.KindOf(name, out _) switch
        {
            StoredKind.Session => !(SessionId.TryParse(last, out SessionId session) && _committed.Contains(session)),
            StoredKind.Pack or StoredKind.Segment or StoredKind.Checkpoint => VaultLayout.TryParseNumbered(name, out SessionId writer, out _) && !_committed.Contains(writer),
            StoredKind.Machine or StoredKind.Settings or StoredKind.Credential or StoredKind.Record => VaultLayout.TryParseNumber(VaultLayout.FirstOf(last), out uint number) && number < _newest.GetValueOrDefault(folder),
            StoredKind.Deletion => VaultLayout.TryParseDeletion(name, out _, out SessionId point, out uint decision) && decision < _newest.GetValueOrDefault(folder + point),
            StoredKind.Group => VaultLayout.TryParseGroup(name, out string group, out uint change) && change < _newest.GetValueOrDefault(folder + group),
            _ => false,
        };
        if (isLeftover && !isNeeded)
        {
            CountLeftover();
        }
        else
        {
            problems.Note(damage);
        }
    }

    /// <summary>Counts a broken object that nothing needs. From any thread.</summary>
    public void CountLeftover() => Interlocked.Increment(ref _leftovers);

    // One thread lists; what it notes of names is complete when the listing is.
    private async IAsyncEnumerable<(StoredObject Object, StoredKind Kind, StoreId? StoreId)> ListAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (StoredObject found in objects.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            StoredKind kind = VaultLayout.KindOf(found.Name, out StoreId? storeId);
            int last = found.Name.LastIndexOf('/') + 1;
            Count++;
            switch (kind)
            {
                case StoredKind.Unknown:
                    StrangerCount++;
                    if (_strangers.Count < VerifyReport.MostStrangers)
                    {
                        _strangers.Add(found.Name);
                    }

                    break;
                case StoredKind.SessionEnd when VaultLayout.TryParseSessionEnd(found.Name.AsSpan(last), out SessionId ended):
                    _ended.Add((storeId!.Value, ended));
                    break;
                case StoredKind.Commit when VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session):
                    _confirmed[session] = (storeId!.Value, machine);
                    break;
                case StoredKind.Deletion when VaultLayout.TryParseDeletion(found.Name, out _, out SessionId point, out uint decision)
                    && DeletionSeries.Counts(decision):
                    _decided.Add(point);
                    Rise(found.Name[..last] + point, decision);
                    break;
                case StoredKind.Group when VaultLayout.TryParseGroup(found.Name, out string group, out uint change):
                    Rise(found.Name[..last] + group, change);
                    break;
                case StoredKind.Point when found.Length > SealedObject.LongestFence && VaultLayout.TryParsePoint(found.Name, out _, out SessionId committed):
                    _committed.Add(committed);
                    break;
                case StoredKind.Machine or StoredKind.Settings or StoredKind.Credential or StoredKind.Record when VaultLayout.TryParseNumber(VaultLayout.FirstOf(found.Name).AsSpan(last), out uint number):
                    Rise(found.Name[..last], number);
                    break;
            }

            Bytes += PlainObjects.Knows(kind) ? found.Length : 0;
            yield return (found, kind, storeId);
        }
    }

    private void Rise(string series, uint number) => _newest[series] = Math.Max(number, _newest.GetValueOrDefault(series));

    private async Task CheckAsync(StoredObject found, CancellationToken cancellationToken)
    {
        string name = found.Name;
        try
        {
            SessionRecord? session = await PlainObjects.CheckAsync(objects, header, found, cancellationToken).ConfigureAwait(false);
            if (session is not null)
            {
                _sessions.Add(session);
            }
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            _doubtful[name] = e;
        }
    }
}
