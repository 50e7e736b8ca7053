using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>A store that keeps objects by policies that run out, as a cloud does, and counts what it is asked for about them.</summary>
/// <param name="inner">Where the objects are.</param>
/// <param name="clock">Its clock.</param>
public sealed class LockingVaultStore(IVaultStore inner, TimeProvider clock) : IVaultStore, IObjectLocks
{
    private readonly ConcurrentDictionary<string, ObjectLock> _locks = new(StringComparer.Ordinal);
    private int _locked;

    /// <summary>The same storage as another identity sees it.</summary>
    /// <param name="other">How one sees it.</param>
    /// <param name="mayLock">Whether this one may set and extend locks.</param>
    public LockingVaultStore(LockingVaultStore other, bool mayLock)
        : this(other.Inner, other.Clock) => (_locks, MayLock) = (other._locks, mayLock);

    /// <summary>Whether this identity may set and extend locks.</summary>
    public bool MayLock { get; } = true;

    /// <summary>For how long each new object is kept by itself; zero for not at all.</summary>
    public TimeSpan Default { get; init; }

    /// <summary>Requests that set or extended a lock.</summary>
    public int LockRequests => _locked;

    /// <summary>The locks that hold.</summary>
    public IReadOnlyDictionary<string, ObjectLock> Held => _locks.Where(held => held.Value.HoldsAt(Clock.GetUtcNow())).ToDictionary();

    public string Location => Inner.Location;

    public VaultStoreCapabilities Capabilities => Inner.Capabilities;

    public IObjectLocks Locks => this;

    public bool Expire => true;

    private IVaultStore Inner { get; } = inner;

    private TimeProvider Clock { get; } = clock;

    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        bool created = await Inner.TryCreateAsync(name, content, cancellationToken, tier);
        if (created && Default > TimeSpan.Zero)
        {
            _locks[name] = new ObjectLock(Clock.GetUtcNow() + Default, IsFirm: true);
        }

        return created;
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => Inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => Inner.StatAsync(name, cancellationToken);

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (Find(name) is { } held && held.HoldsAt(Clock.GetUtcNow()))
        {
            throw new BackupException(BackupErrorId.VaultDataProtected, $"'{name}' is kept until {held.Until:u}.", "Wait.", name);
        }

        await Inner.DeleteAsync(name, cancellationToken);
        _locks.TryRemove(name, out _);
    }

    IAsyncEnumerable<StoredObject> IVaultStore.ListAsync(string prefix, CancellationToken cancellationToken) => Inner.ListAsync(prefix, cancellationToken);

    ValueTask<string?> IObjectLocks.FindObstacleAsync(CancellationToken cancellationToken) => new((string?)null);

    async IAsyncEnumerable<LockedObject> IObjectLocks.ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (StoredObject found in Inner.ListAsync(prefix, cancellationToken))
        {
            yield return new LockedObject(found, Find(found.Name));
        }
    }

    ValueTask<ObjectLock?> IObjectLocks.ReadAsync(string name, CancellationToken cancellationToken) => new(Find(name));

    public ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _locked);
        if (!MayLock)
        {
            throw new BackupException(BackupErrorId.VaultAccessDenied, $"'{name}' may not be locked.", "Ask the owner.", name);
        }

        if (Find(name) is { IsFirm: true } firm && firm.Until > until)
        {
            throw new InvalidOperationException($"The lock of '{name}' would be shortened from {firm.Until:u} to {until:u}.");
        }

        _locks[name] = new ObjectLock(until, isFirm);
        return ValueTask.CompletedTask;
    }

    public ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken) => new(MayLock && Find(name) is { IsFirm: false } && _locks.TryRemove(name, out _));

    public async ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken)
    {
        if (!await UnlockAsync(name, cancellationToken))
        {
            return false;
        }

        await DeleteAsync(name, cancellationToken);
        return true;
    }

    private ObjectLock? Find(string name) => _locks.TryGetValue(name, out ObjectLock held) ? held : null;
}
