using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>
/// Writes down every operation that changed the store beneath, in an order in which they may have happened, and can
/// give back the state in which a crash after any of them would have left it.
/// </summary>
public sealed class RecordingVaultStore : IVaultStore
{
    private readonly MemoryVaultStore _inner;
    private readonly MemoryVaultStore _start;
    private readonly Lock _gate = new();
    private readonly List<VaultOperation> _operations = [];

    /// <summary>Records what is done to a store in memory; what it holds now is where every state begins.</summary>
    public RecordingVaultStore(MemoryVaultStore inner)
    {
        _inner = inner;
        _start = inner.Clone();
    }

    public string Location => _inner.Location;

    public VaultStoreCapabilities Capabilities => _inner.Capabilities;

    /// <summary>What was done so far.</summary>
    public IReadOnlyList<VaultOperation> Operations
    {
        get
        {
            lock (_gate)
            {
                return [.. _operations];
            }
        }
    }

    /// <summary>The state after the first <paramref name="count"/> operations.</summary>
    /// <param name="count">0 to the number of operations.</param>
    /// <param name="last">What became of the last of them.</param>
    public MemoryVaultStore Materialise(int count, LastOperation last = LastOperation.Done)
    {
        IReadOnlyList<VaultOperation> operations = Operations;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, operations.Count);
        MemoryVaultStore state = _start.Clone();
        for (int i = 0; i < count; i++)
        {
            Apply(state, operations[i], i == count - 1 ? last : LastOperation.Done);
        }

        return state;
    }

    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        bool created = await _inner.TryCreateAsync(name, content, cancellationToken, tier);
        if (created)
        {
            Record(new VaultOperation(name, content.ToArray()));
        }

        return created;
    }

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        _inner.ReadAsync(name, offset, destination, cancellationToken);

    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => _inner.StatAsync(name, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => _inner.ListAsync(prefix, cancellationToken);

    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await _inner.DeleteAsync(name, cancellationToken);
        Record(new VaultOperation(name, Content: null));
    }

    // After the effect and before the caller knows: who is told of one operation and then asks for another finds them in this order.
    private void Record(VaultOperation operation)
    {
        lock (_gate)
        {
            _operations.Add(operation);
        }
    }

    private static void Apply(MemoryVaultStore state, VaultOperation operation, LastOperation last)
    {
        switch (operation.Content, last)
        {
            case (null, not LastOperation.Done):
                break;
            case (null, _):
                if (state.Names.Contains(operation.Name))
                {
                    state.Remove(operation.Name);
                }

                break;
            case (byte[] content, LastOperation.Torn):
                state.SetContent(operation.Name, content[..(content.Length / 2)]);
                break;
            case (byte[] content, LastOperation.Emptied):
                state.SetContent(operation.Name, []);
                break;
            case (byte[] content, LastOperation.OneByteShort):
                state.SetContent(operation.Name, content[..^1]);
                break;
            case (byte[] content, _):
                state.SetContent(operation.Name, content);
                break;
        }
    }
}

/// <summary>Something that was done to a store.</summary>
/// <param name="Name">The object.</param>
/// <param name="Content">What it was created with; null where it was deleted.</param>
public sealed record VaultOperation(string Name, byte[]? Content);

/// <summary>What became of the last operation before a crash. That one was done twice, or done and reported as failed, leaves
/// the same state as <see cref="Done"/>; what its caller makes of it, <see cref="FaultyVaultStore"/> shows.</summary>
public enum LastOperation
{
    /// <summary>It was done.</summary>
    Done,

    /// <summary>A create left only the first half of the bytes, as a medium may that does not keep to the contract; a delete left the object.</summary>
    Torn,

    /// <summary>As <see cref="Torn"/>, with no byte.</summary>
    Emptied,

    /// <summary>As <see cref="Torn"/>, with all bytes but the last.</summary>
    OneByteShort,
}
