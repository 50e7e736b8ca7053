using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// A dumb, write-once byte store: the only thing the engine asks of a folder, a Blob container or a test.
/// There is no overwrite; names are never reused.
/// </summary>
/// <remarks>
/// <para>Names are relative, '/'-separated, made of <c>[a-z0-9.-]</c> segments; see <see cref="ObjectName"/>.</para>
/// <para>A create is atomic: an object is absent or whole, and it is durable when the call returns. A listing shows
/// every object whose create returned before the listing began.</para>
/// <para>Every failure is a <see cref="BackupException"/> (VaultUnreachable, VaultAccessDenied, VaultFull, …);
/// an absent object is <see cref="BackupErrorId.VaultDataMissing"/>. All members may be called concurrently.</para>
/// </remarks>
public interface IVaultStore
{
    /// <summary>The location as the user wrote it, for messages.</summary>
    string Location { get; }

    /// <summary>What suits this store.</summary>
    VaultStoreCapabilities Capabilities { get; }

    /// <summary>What it was asked since it was opened; null where nobody counts.</summary>
    VaultTraffic? Traffic => null;

    /// <summary>What calls wait for now because the store is away or throttles; null where nothing waits.</summary>
    VaultWait? Wait => null;

    /// <summary>What the cloud can be asked for behind this store; null for a folder.</summary>
    IVaultAccount? Account => null;

    /// <summary>What could be done to it past the engine, for the test of its protection; null where that cannot be tried.</summary>
    IVaultAttack? Attack => null;

    /// <summary>By what the storage itself keeps objects from being deleted and changed; null where it has no such thing.</summary>
    IObjectLocks? Locks => null;

    /// <summary>Creates an object, in the tier named where the store has tiers. Returns false, and changes nothing, where the name exists.</summary>
    ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot);

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>; returns how many bytes there were,
    /// fewer than asked only at the object's end.</summary>
    ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>The object's facts, or null where there is none.</summary>
    ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken);

    /// <summary>All objects whose name begins with <paramref name="prefix"/> (a whole folder, ending in '/'; empty: everything), in no order.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object. Deleting what is not there succeeds.</summary>
    ValueTask DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>What is being written at the moment, or was when its writer died: no listing shows it. Nothing where a store has no such thing, or does not let it be seen.</summary>
    ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => ValueTask.FromResult(default(UnfinishedWrites));
}

/// <summary>Objects that are not there yet, and may never be.</summary>
/// <param name="Count">How many.</param>
/// <param name="Bytes">Their size so far.</param>
public readonly record struct UnfinishedWrites(int Count, long Bytes);

/// <summary>An object of a store.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Created">When the store says it was created (the store's clock, UTC).</param>
public readonly record struct StoredObject(string Name, long Length, DateTimeOffset Created);

/// <summary>What suits a store.</summary>
/// <param name="PackSize">The size at which a data pack is closed, in bytes.</param>
/// <param name="MaxConcurrency">How many calls one part of a job should have under way at once while the store bears it.</param>
public sealed record VaultStoreCapabilities(int PackSize, int MaxConcurrency);
