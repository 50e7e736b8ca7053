using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>
/// The scope of everything that one job writes into a chunk store. Names carry the session's id, so no two writers can
/// meet. The order is the whole of crash safety: packs, then the index segment that names them, then the point.
/// </summary>
internal sealed class WriteSession : IAsyncDisposable
{
    private readonly ChunkStore _store;
    private readonly TransferCounters _counters;
    private uint _lastSegment;
    private uint _lastCheckpoint;

    /// <summary>Begins a session that is announced.</summary>
    /// <param name="store">The store.</param>
    /// <param name="id">From <see cref="AnnounceAsync"/>.</param>
    /// <param name="contentTier">From <see cref="ReadContentTierAsync"/>.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="workers">How many threads name, compress and seal.</param>
    /// <param name="verifyOneIn">Of how many sealed chunks one is opened again; 0 for none.</param>
    /// <param name="giveUp">Ends what is under way. Not the user's stop: what is under way is finished then, so that it need not be sent again.</param>
    public WriteSession(
        ChunkStore store, string id, VaultAccessTier contentTier, TransferCounters counters, int workers, int verifyOneIn, CancellationToken giveUp)
    {
        _store = store;
        _counters = counters;
        Id = id;
        Chunks = new ChunkWriter(store, id, contentTier, counters, workers, verifyOneIn, giveUp);
    }

    /// <summary>32 hexadecimal digits; ids sort by the time they were made.</summary>
    public string Id { get; }

    public ChunkWriter Chunks { get; }

    /// <summary>Bytes that this session has added to the vault.</summary>
    public long StoredBytes => _counters.StoredBytes;

    /// <summary>
    /// Announces a session, then looks at what is there. In this order, so that a collector that does not see
    /// the session has made its own records visible to it. Returns the session's id.
    /// </summary>
    /// <param name="indexing">The reading of the store's index, which may be under way.</param>
    public static async Task<string> AnnounceAsync(ChunkStore store, SessionRecord record, Task indexing, CancellationToken cancellationToken)
    {
        string id = Guid.CreateVersion7(record.Started).ToString("N");
        record = record with { VaultId = store.Header.VaultId, StoreId = store.StoreId, SessionId = id };
        byte[] content = CheckedJson.Encode(record, VaultJson.Default.SessionRecord);
        await store.Objects.TryCreateAsync(VaultLayout.Session(store.StoreId, id), content, cancellationToken).ConfigureAwait(false);
#pragma warning disable VSTHRD003 // Nothing in the engine has a context to block.
        await indexing.ConfigureAwait(false);
#pragma warning restore VSTHRD003
        await store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
        return id;
    }

    /// <summary>Where contents go: into the tier that the vault's owner chose.</summary>
    public static async Task<VaultAccessTier> ReadContentTierAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        try
        {
            return (await new VaultSettingsRegister(store.Objects, store.Header).ReadAsync(cancellationToken).ConfigureAwait(false)).AccessTier;
        }
        catch (BackupException damage) when (damage.IsDamage)
        {
            // Damaged settings stop no backup. What is hot can be moved later, free of charge.
            store.Report(damage);
            return VaultAccessTier.Hot;
        }
    }

    /// <summary>Announces a session and begins it.</summary>
    public static async Task<WriteSession> BeginAsync(
        ChunkStore store,
        SessionRecord record,
        TransferCounters counters,
        int workers,
        int verifyOneIn,
        CancellationToken cancellationToken) =>
        new(
            store,
            await AnnounceAsync(store, record, Task.CompletedTask, cancellationToken).ConfigureAwait(false),
            await ReadContentTierAsync(store, cancellationToken).ConfigureAwait(false),
            counters,
            workers,
            verifyOneIn,
            CancellationToken.None);

    /// <summary>Makes every chunk handed over so far durable and indexed.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Chunks.FlushAsync(async segment =>
    {
        string name = VaultLayout.Segment(_store.StoreId, Id, ++_lastSegment);
        await CreateAsync(name, SealedObject.Seal(_store.Keys, SealedObjectKind.IndexSegment, name, segment), cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Writes a checkpoint. What it names must have been flushed.</summary>
    public async Task WriteCheckpointAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Checkpoint(_store.StoreId, Id, ++_lastCheckpoint);
        await CreateAsync(name, SealedObject.Seal(_store.Keys, SealedObjectKind.Checkpoint, name, content.Span), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Commits: from here on the recovery point exists. What it names must have been flushed.</summary>
    /// <exception cref="BackupException">SessionFenced.</exception>
    public async Task CommitAsync(string machineId, ReadOnlyMemory<byte> point, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Point(_store.StoreId, machineId, Id);
        byte[] content = SealedObject.Seal(_store.Keys, SealedObjectKind.RecoveryPoint, name, point.Span);
        if (!await _store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
        {
            throw new BackupException(
                BackupErrorId.SessionFenced,
                $"The backup was shut out by a maintenance run before it could finish (session {Id}).",
                "Run it again: what it sent is there and will not be sent again.",
                Id,
                transient: true);
        }

        _counters.AddStored(content.Length);
    }

    public ValueTask DisposeAsync() => Chunks.DisposeAsync();

    private async Task CreateAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        if (!await _store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
        {
            throw VaultDamage.Corrupt(name, "it exists, though its name was to be new");
        }

        _counters.AddStored(content.Length);
    }
}
