using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Has the storage keep what an immutable vault keeps: recovery points for their time, what they need for as long as one of them, and what opens the vault. Locks are extended
/// shortly before they run out. Where the vault is not immutable any more, locks that can be taken off are. What is deleted early is never locked: docs/design.md.
/// </summary>
internal sealed class LockKeeper
{
    // Maintenance may well not come for a fortnight.
    private static readonly TimeSpan _leastLead = TimeSpan.FromDays(14);

    private readonly ChunkStore _store;
    private readonly IObjectLocks _locks;
    private readonly VaultSettings _settings;
    private readonly DateTimeOffset _now;
    private readonly HashSet<(SessionId Session, uint Number)> _firm = [];

    private LockKeeper(ChunkStore store, IObjectLocks locks, VaultSettings settings, DateTimeOffset now)
    {
        (_store, _locks, _settings, _now) = (store, locks, settings, now);
        Immutable = settings.ImmutableTime is { } time ? new ImmutableUntil(time, now) : null;
    }

    /// <summary>Until when what is to be kept; null where the vault is not immutable any more.</summary>
    public ImmutableUntil? Immutable { get; }

    /// <summary>Until when packs need to be kept is asked for: locks run out.</summary>
    public bool AsksForPacks => Immutable is not null && _locks.Expire;

    /// <summary>How many locks were set or extended, or taken off.</summary>
    public int Changed { get; private set; }

    /// <summary>Why not all is locked that should be; null where it is.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Looks how a store stands. Null where its storage has no locks, or the vault never was immutable.</summary>
    /// <param name="store">The store.</param>
    /// <param name="now">The time by the storage's clock.</param>
    /// <param name="damaged">Gets settings that cannot be read: then nothing is locked, and no lock taken off.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<LockKeeper?> TryOpenAsync(ChunkStore store, DateTimeOffset now, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        if (store.Objects.Locks is not { } locks || store.Header.OwnerIdentity is null)
        {
            return null;
        }

        try
        {
            VaultSettings settings = await new VaultSettingsRegister(store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false);
            if (settings.ImmutableDays == 0)
            {
                return null;
            }

            var keeper = new LockKeeper(store, locks, settings, now);
            await keeper.LookAsync(cancellationToken).ConfigureAwait(false);
            return keeper;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            damaged(e);
            return null;
        }
    }

    /// <summary>Whether nothing can delete a pack for now: it is not written anew either, for that would keep it twice.</summary>
    public bool IsFirm((SessionId Session, uint Number) pack) => _firm.Contains(pack);

    /// <summary>Locks what is to be kept, or takes locks off.</summary>
    /// <param name="own">The session of this run: what it has written is not among what was marked.</param>
    /// <param name="decisions">Says which packs are to go.</param>
    /// <param name="needed">What points need. Where not all of that is known, nothing is locked that cannot be unlocked.</param>
    /// <param name="isOverTime">Whether nothing further is to be begun; the next run goes on.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task KeepAsync(SessionId own, CollectionDecisions decisions, NeededChunks needed, Func<bool> isOverTime, CancellationToken cancellationToken)
    {
        if (AsksForPacks && !needed.IsWhole)
        {
            return;
        }

        HashSet<(SessionId Session, uint Number)> going = [.. decisions.Gone, .. decisions.Condemned];
        Dictionary<(SessionId Session, uint Number), DateTimeOffset>? until = AsksForPacks
            ? Immutable!.OfPacks(_store.Index, needed.Marks, pack => pack.Session == own).Where(pack => pack.Key.IsAvailable).ToDictionary(pack => pack.Key.Key, pack => pack.Value)
            : null;
        await KeepAsync(
            pack => going.Contains(pack) ? null : until is null ? DateTimeOffset.MaxValue : until.TryGetValue(pack, out DateTimeOffset at) ? at : null,
            isOverTime,
            cancellationToken).ConfigureAwait(false);
    }

    private async Task KeepAsync(Func<(SessionId Session, uint Number), DateTimeOffset?> packUntil, Func<bool> isOverTime, CancellationToken cancellationToken)
    {
        var due = new List<(string Name, DateTimeOffset Until)>();
        await foreach (LockedObject found in ListAsync(cancellationToken).ConfigureAwait(false))
        {
            DateTimeOffset? until = Immutable is null ? null : UntilOf(found, packUntil);
            if (Immutable is null ? found.Lock is { IsFirm: false } : until is { } needed && IsDue(found.Lock, needed))
            {
                due.Add((found.Object.Name, until is { } at && found.Lock?.Until > at ? found.Lock.Value.Until.Value : until ?? default));
            }
        }

        if (due.Count == 0 || (Immutable is not null && (Obstacle = await _locks.FindObstacleAsync(cancellationToken).ConfigureAwait(false)) is not null))
        {
            return;
        }

        try
        {
            await foreach (bool changed in ReadAhead.SelectAsync(
                due.TakeWhile(_ => !isOverTime()), _store.Objects.Capabilities.MaxConcurrency, (one, token) => ChangeAsync(one.Name, one.Until, token), cancellationToken).ConfigureAwait(false))
            {
                Changed += changed ? 1 : 0;
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccessDenied)
        {
            // Whoever may not lock one may lock none.
            Obstacle = $"{e.Message} {e.RecommendedAction}";
        }
    }

    private async Task<bool> ChangeAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        try
        {
            if (Immutable is null)
            {
                return await _locks.UnlockAsync(name, cancellationToken).ConfigureAwait(false);
            }

            await _locks.LockAsync(name, until, _settings.Immutability == VaultImmutability.Locked, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // Somebody has deleted it meanwhile.
            return false;
        }
    }

    private bool IsDue(ObjectLock? held, DateTimeOffset needed)
    {
        if (held is not { } there || !there.HoldsAt(_now) || (_locks.Expire && _settings.Immutability == VaultImmutability.Locked && !there.IsFirm))
        {
            return true;
        }

        TimeSpan time = _settings.ImmutableTime!.Value;
        TimeSpan lead = time / 3 > _leastLead ? time / 3 : _leastLead;
        return there.Until is { } until && until < needed && until - _now <= lead;
    }

    // A flag that is cleared when the time comes may be on everything that stays; a lock that runs out is on what needs it, and no longer. What replaces others early, as index
    // segments do, which can be made anew from the packs, has only what can be taken off.
    private DateTimeOffset? UntilOf(LockedObject found, Func<(SessionId Session, uint Number), DateTimeOffset?> packUntil)
    {
        switch (VaultLayout.KindOf(found.Object.Name, out _))
        {
            case StoredKind.Pack when VaultLayout.TryParseNumbered(found.Object.Name, out SessionId session, out uint number):
                return packUntil((session, number));
            case StoredKind.Point when found.Object.Length > SealedObject.LongestFence:
                return _locks.Expire ? Immutable!.Of(found.Object.Created) : DateTimeOffset.MaxValue;
            case StoredKind.Header or StoredKind.KeySlot or StoredKind.KeyEpoch or StoredKind.Settings:
                return _locks.Expire ? Immutable!.Last : DateTimeOffset.MaxValue;
            case StoredKind.Segment:
                return _locks.Expire ? null : DateTimeOffset.MaxValue;
            default:
                return null;
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!_locks.Expire)
        {
            return;
        }

        await foreach (LockedObject found in _locks.ListAsync(VaultLayout.Packs(_store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (found.Lock is { IsFirm: true } held && held.HoldsAt(_now) && VaultLayout.TryParseNumbered(found.Object.Name, out SessionId session, out uint number))
            {
                _firm.Add((session, number));
            }
        }
    }

    private async IAsyncEnumerable<LockedObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string folder in (string[])[VaultLayout.Store(_store.StoreId), VaultLayout.Keys(_store.StoreId), VaultLayout.Settings])
        {
            await foreach (LockedObject found in _locks.ListAsync(folder, cancellationToken).ConfigureAwait(false))
            {
                yield return found;
            }
        }

        if (await _store.Objects.StatAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false) is { } header)
        {
            yield return new LockedObject(header, await _locks.ReadAsync(VaultLayout.Header, cancellationToken).ConfigureAwait(false));
        }
    }
}
