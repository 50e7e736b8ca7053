using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>A vault in memory. Tests may damage it.</summary>
public sealed class MemoryVaultStore(TimeProvider? clock = null) : IVaultStore
{
    private readonly ConcurrentDictionary<string, MemoryObject> _objects = new(StringComparer.Ordinal);

    public string Location => "memory";

    public VaultStoreCapabilities Capabilities { get; init; } = new(PackSize: 16 << 20, MaxConcurrency: 4);

    /// <summary>The clock that stamps objects.</summary>
    public TimeProvider Clock { get; } = clock ?? TimeProvider.System;

    /// <summary>The names of all objects, sorted.</summary>
    public IReadOnlyList<string> Names => [.. _objects.Keys.Order(StringComparer.Ordinal)];

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        await EnterAsync(name, cancellationToken);
        return _objects.TryAdd(name, new MemoryObject(content.ToArray(), Clock.GetUtcNow(), tier));
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await EnterAsync(name, cancellationToken);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        byte[] content = Get(name).Content;
        int count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
        content.AsSpan((int)Math.Min(offset, content.Length), count).CopyTo(destination.Span);
        return count;
    }

    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        await EnterAsync(name, cancellationToken);
        return _objects.TryGetValue(name, out MemoryObject? found) ? Describe(name, found) : null;
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        foreach ((string name, MemoryObject found) in _objects)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                yield return Describe(name, found);
            }
        }
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await EnterAsync(name, cancellationToken);
        _objects.TryRemove(name, out _);
    }

    /// <summary>The bytes of an object.</summary>
    public byte[] GetContent(string name) => [.. Get(name).Content];

    /// <summary>The tier that an object was created in.</summary>
    public VaultAccessTier TierOf(string name) => Get(name).Tier;

    /// <summary>Puts bytes where they are not supposed to get: replaces an object, or creates one.</summary>
    public void SetContent(string name, byte[] content) =>
        _objects.AddOrUpdate(
            name,
            _ => new MemoryObject([.. content], Clock.GetUtcNow(), VaultAccessTier.Hot),
            (_, old) => old with { Content = [.. content] });

    /// <summary>Changes the bytes of an object.</summary>
    public void Damage(string name, Func<byte[], byte[]> damage) => SetContent(name, damage(GetContent(name)));

    /// <summary>Flips one bit of an object.</summary>
    public void FlipBit(string name, long offset, int bit = 0) =>
        Damage(name, content =>
        {
            content[offset] ^= (byte)(1 << bit);
            return content;
        });

    /// <summary>Takes an object away.</summary>
    public void Remove(string name) => Assert.True(_objects.TryRemove(name, out _), $"There was no '{name}' to remove.");

    /// <summary>Says that an object was created at another time.</summary>
    public void SetCreated(string name, DateTimeOffset created) => _objects[name] = Get(name) with { Created = created };

    /// <summary>The same objects in another store.</summary>
    public MemoryVaultStore Clone()
    {
        var clone = new MemoryVaultStore(Clock) { Capabilities = Capabilities };
        foreach ((string name, MemoryObject found) in _objects)
        {
            clone._objects[name] = found;
        }

        return clone;
    }

    private MemoryObject Get(string name) => _objects.TryGetValue(name, out MemoryObject? found)
        ? found
        : throw new BackupException(BackupErrorId.VaultDataMissing, $"The vault has no object '{name}'.", "Verify the vault.", name);

    private static StoredObject Describe(string name, MemoryObject found) => new(name, found.Content.Length, found.Created);

    // Callers must not come to rely on a call that finishes on their own thread.
    private static async Task EnterAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        cancellationToken.ThrowIfCancellationRequested();
        await Task.Yield();
    }

    private sealed record MemoryObject(byte[] Content, DateTimeOffset Created, VaultAccessTier Tier);
}
