using System.Buffers;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// The scope of everything that one job writes into a chunk store. Names carry the session's id, so no two writers can
/// meet. The order is the whole of crash safety: packs, then the index segment that names them, then the point.
/// </summary>
internal sealed class WriteSession : IAsyncDisposable
{
    private readonly HashSet<SessionId> _listed = [];
    private readonly ChunkStore _store;
    private readonly SessionAnnouncement _announcement;
    private readonly TransferCounters _counters;
    private uint _lastSegment;
    private uint _lastCheckpoint;

    /// <summary>Begins a session that is announced.</summary>
    /// <param name="store">The store.</param>
    /// <param name="announcement">By which it was announced.</param>
    /// <param name="id">From <see cref="AnnounceAsync"/>.</param>
    /// <param name="contentTier">From <see cref="ReadSettingsAsync"/>.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="workers">How many threads name, compress and seal.</param>
    /// <param name="verifyOneIn">Of how many sealed chunks one is opened again; 0 for none.</param>
    /// <param name="giveUp">Ends what is under way. Not the user's stop: what is under way is finished then, so that it need not be sent again.</param>
    /// <param name="doubts">Which chunks of content that are known are opened before they are relied on.</param>
    /// <param name="compression">How hard it tries to make chunks small.</param>
    /// <param name="isThrifty">Whether it takes as little memory as it can.</param>
    /// <param name="taps">Are shown what is stored.</param>
    public WriteSession(
        ChunkStore store,
        SessionAnnouncement announcement,
        SessionId id,
        VaultAccessTier contentTier,
        TransferCounters counters,
        int workers,
        int verifyOneIn,
        CancellationToken giveUp,
        Predicate<ChunkId>? doubts = null,
        Compression compression = Compression.Default,
        bool isThrifty = false,
        IReadOnlyList<IChunkTap>? taps = null)
    {
        _store = store;
        _announcement = announcement;
        _counters = counters;
        Id = id;
        Chunks = new ChunkWriter(store, id, contentTier, counters, workers, verifyOneIn, giveUp, doubts, compression, isThrifty, taps);
    }

    /// <summary>Under this id it commits, if nobody else of its machine has committed under a higher one by then.</summary>
    public SessionId Id { get; }

    public ChunkWriter Chunks { get; }

    /// <summary>Bytes that this session has added to the vault.</summary>
    public long StoredBytes => _counters.StoredBytes;

    /// <summary>
    /// Announces a session, then looks at what is there. In this order, so that a collector that does not see
    /// the session has made its own records visible to it. Returns the session's id.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="announcement">Announces it.</param>
    /// <param name="finding">The highest id so far: <see cref="SessionOrder.FindHighestAsync"/>.</param>
    /// <param name="indexing">The reading of the store's index, which may be under way.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<SessionId> AnnounceAsync(
        ChunkStore store, SessionAnnouncement announcement, Task<SessionId?> finding, Task indexing, CancellationToken cancellationToken)
    {
#pragma warning disable VSTHRD003 // Nothing in the engine has a context to block.
        SessionId id = await announcement.AnnounceAsync(await finding.ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        await indexing.ConfigureAwait(false);
#pragma warning restore VSTHRD003
        await store.LookAsync(cancellationToken).ConfigureAwait(false);
        return id;
    }

    /// <summary>What the vault's owner decided, as far as writing goes by it: the tier for contents, and whether anything is backed up at all.</summary>
    public static async Task<VaultSettings> ReadSettingsAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        try
        {
            return await new VaultSettingsRegister(store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException damage) when (damage.IsDamage)
        {
            // Damaged settings stop no backup. What is hot can be moved later, free of charge.
            store.Report(damage);
            return new VaultSettings();
        }
    }

    /// <summary>Announces a session and begins it.</summary>
    public static async Task<WriteSession> BeginAsync(
        ChunkStore store,
        SessionAnnouncement announcement,
        TransferCounters counters,
        int workers,
        int verifyOneIn,
        CancellationToken cancellationToken) =>
        new(
            store,
            announcement,
            await AnnounceAsync(store, announcement, SessionOrder.FindHighestAsync(store, cancellationToken), Task.CompletedTask, cancellationToken).ConfigureAwait(false),
            (await ReadSettingsAsync(store, cancellationToken).ConfigureAwait(false)).AccessTier,
            counters,
            workers,
            verifyOneIn,
            CancellationToken.None);

    /// <summary>Makes every chunk handed over so far durable and indexed.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Chunks.FlushAsync(segment => WriteSegmentAsync(segment, cancellationToken));

    /// <summary>Writes an index segment. The packs that it names must be durable. Returns its name.</summary>
    public async Task<string> WriteSegmentAsync(ReadOnlyMemory<byte> segment, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Segment(_store.StoreId, Id, ++_lastSegment);
        int length = SealedObject.LengthOf(SealedObjectKind.IndexSegment, segment.Length);
        byte[] content = ArrayPool<byte>.Shared.Rent(length);
        SealedObject.Seal(_store.Keys, SealedObjectKind.IndexSegment, name, segment.Span, content.AsSpan(0, length));
        await CreateAsync(name, content.AsMemory(0, length), cancellationToken).ConfigureAwait(false);

        // Where that failed, somebody may be sending it still.
        ArrayPool<byte>.Shared.Return(content);
        return name;
    }

    /// <summary>Writes a checkpoint. What it names must have been flushed.</summary>
    public async Task WriteCheckpointAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Checkpoint(_store.StoreId, Id, ++_lastCheckpoint);
        await CreateAsync(name, SealedObject.Seal(_store.Keys, SealedObjectKind.Checkpoint, name, content.Span), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Commits: from here on the recovery point exists. What it names must have been flushed. Where a session of the same machine that began later has
    /// committed already, this one commits under a new id, so that the newest point is the one that was committed last.
    /// </summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="describe">The point's content, from the id under which it is committed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>That id.</returns>
    /// <exception cref="BackupException">SessionFenced: also where a pack that it relied on was deleted meanwhile.</exception>
    public async Task<SessionId> CommitAsync(MachineId machineId, Func<SessionId, ReadOnlyMemory<byte>> describe, CancellationToken cancellationToken)
    {
        SessionId id = Id;
        while (await HasNewerPointAsync(machineId, id, cancellationToken).ConfigureAwait(false))
        {
            id = await RenewAsync(cancellationToken).ConfigureAwait(false);
        }

        string name = VaultLayout.Point(_store.StoreId, machineId, id);
        byte[] content = SealedObject.Seal(_store.Keys, SealedObjectKind.RecoveryPoint, name, describe(id).Span);
        _announcement.MayHavePoint = true;
        if (!await _store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
        {
            throw Fenced("The backup was shut out by a maintenance run before it could finish", id);
        }

        _counters.AddStored(content.Length);
        return id;
    }

    /// <summary>Says beside a point that there is one, so that its loss is seen. Once it is committed.</summary>
    public async Task ConfirmAsync(MachineId machineId, SessionId id, CancellationToken cancellationToken)
    {
        await _store.Objects.TryCreateAsync(VaultLayout.Commit(_store.StoreId, machineId, id), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        await _announcement.EndGivenUpAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => Chunks.DisposeAsync();

    private async Task CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!await _store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
        {
            throw VaultDamage.Corrupt(name, "it exists, though its name should be new");
        }

        _counters.AddStored(content.Length);
    }

    /// <summary>Whether a point of the machine was there when this session was about to commit. One that was ended before leaves no trace, and is named by nobody.</summary>
    public bool HasListed(SessionId point) => _listed.Contains(point);

    private async Task<bool> HasNewerPointAsync(MachineId machineId, SessionId id, CancellationToken cancellationToken)
    {
        _listed.Clear();
        string prefix = VaultLayout.Points(_store.StoreId, machineId);
        await foreach (StoredObject found in _store.Objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!SessionId.TryParse(found.Name.AsSpan(prefix.Length), out SessionId other))
            {
                continue;
            }

            _listed.Add(other);
            if (other > id && await SessionOrder.CountsAsync(_store, found, other, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    // As safe as any new session: it looks after it was announced, and what it relies on must be there still, and stay.
    private async Task<SessionId> RenewAsync(CancellationToken cancellationToken)
    {
        SessionId id = await _announcement.AnnounceAsync(
            await SessionOrder.FindHighestAsync(_store, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<PackInfo> lost = await _store.LookAsync(cancellationToken).ConfigureAwait(false);
        return lost.Count == 0 ? id : throw Fenced($"The pack '{_store.NameOf(lost[0])}' was deleted, or is about to be, while the backup relied on it", id);
    }

    private static BackupException Fenced(string what, SessionId id) => new(
        BackupErrorId.SessionFenced,
        $"{what} (session {id}).",
        "Run it again: what it sent is there and will not be sent again.",
        id.ToString(),
        transient: true);
}
