using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// An unlocked chunk store: its keys, its index, and the way from a chunk's name to its bytes. What keeps the index up to date is <see cref="IndexReader"/> and
/// <see cref="PackSurvey"/>. Thread-safe.
/// </summary>
/// <remarks>
/// Nothing local is authoritative and no single object can stop a reader: an index segment that is missing or damaged is
/// left out and reported in <see cref="Damage"/>, and what it named is found again in the packs' own footers.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for has nothing to free.")]
internal sealed class ChunkStore : IChunkReader
{
    // Few objects of a vault are so large: the index segments of great backups.
    private const int LargeSealedLength = 4 << 20;

    private static readonly SemaphoreSlim _largeSealed = new(2);
    private readonly Lock _damageGate = new();
    private readonly List<BackupException> _damage = [];
    private readonly HashSet<string> _damagedNames = new(StringComparer.Ordinal);

    // One bad sector leaves the rest of a pack readable; a pack that fails again and again is not asked for every chunk in it, for each time may take long.
    private const int UnreadableTimes = 3;

    private const int MostLooks = 5;

    // Of so many records on it is worth the time to give memory back.
    private const int GreatIndex = 100_000;

    private readonly ConcurrentDictionary<PackInfo, (int Times, BackupException Last)> _unreadable = new(ReferenceEqualityComparer.Instance);
    private readonly MetadataWindows _metadata;

    // Blocks of metadata that this opened store has read, or has written: what is there of them is whole.
    private readonly ConcurrentDictionary<ChunkId, byte> _sound = new();
    private readonly ConcurrentDictionary<PackInfo, byte> _damagedPacks = new();
    private readonly IndexReader _reader;
    private readonly PackSurvey _survey;
    private volatile bool _hasLost;
    private volatile bool _isDamaged;

    public ChunkStore(KnownVault vault, StoreId storeId, StoreKeys keys, IVaultStore? early = null)
    {
        Vault = vault;
        Early = early ?? vault.Objects;
        StoreId = storeId;
        Keys = keys;
        Identity = new ChunkIdentity(keys);
        Index = new ChunkIndex(keys.Knows);
        Deletion = new PatientDeletion(vault.Objects, WasImmutableAsync);
        _metadata = new MetadataWindows(FetchAsync);
        IndexCache? cache = vault.Options.IndexCacheFolder is { } folder ? new IndexCache(folder, vault.Header.Copy, keys, vault.Options.IndexCacheBounds, vault.Options.TimeProvider) : null;
        _reader = new IndexReader(this, cache);
        _survey = new PackSurvey(this, _reader);
    }

    public KnownVault Vault { get; }

    public IVaultStore Objects => Vault.Objects;

    /// <summary>The vault, where answers may be older than the question: for what never changes, or what a session checks again after it was announced.</summary>
    public IVaultStore Early { get; }

    public VaultHeader Header => Vault.Header;

    public StoreId StoreId { get; }

    public StoreKeys Keys { get; }

    public ChunkIdentity Identity { get; }

    public ChunkIndex Index { get; }

    /// <summary>By it goes what is deleted, unless the storage keeps it.</summary>
    public PatientDeletion Deletion { get; }

    /// <summary>What was found damaged or missing so far, and did not stop anything.</summary>
    public IReadOnlyList<BackupException> Damage
    {
        get
        {
            lock (_damageGate)
            {
                return [.. _damage];
            }
        }
    }

    /// <summary>Packs that held a chunk which was to be relied on and does not open, nor does any copy of it.</summary>
    public IReadOnlyCollection<PackInfo> DamagedPacks => [.. _damagedPacks.Keys];

    /// <summary>Packs that did not give what was needed of them, and how often something else did.</summary>
    public BrokenPacks Broken { get; } = new();

    /// <summary>Gives chunks that no pack gives; null for nobody.</summary>
    public IChunkRescue? Rescue { get; set; }

    /// <summary>Whether a chunk that was needed could not be read from the vault.</summary>
    public bool HasLost => _hasLost;

    /// <summary>Whether anything could not be read, or not be relied on, whatever the reason.</summary>
    public bool HasMetTrouble { get; private set; }

    /// <summary>Whether anything was met that is not as it was written, leftovers of killed jobs apart.</summary>
    public bool IsDamaged => _isDamaged;

    /// <summary>The names and lengths of the index segments that were read.</summary>
    public IReadOnlySet<(string Name, long Length)> Segments => _reader.Segments;

    /// <summary>The packs that each of those names which could be read.</summary>
    public IReadOnlyDictionary<string, PackInfo[]> SegmentPacks => _reader.SegmentPacks;

    /// <summary>Whether any of the index comes from a cache, and not from the segments themselves.</summary>
    public bool IsIndexCached => _reader.IsCached;

    /// <inheritdoc cref="IndexReader.Note"/>
    public void NoteSegment(string name, PackInfo[]? packs) => _reader.Note(name, packs);

    /// <inheritdoc cref="IndexReader.ListAsync"/>
    public ValueTask<HashSet<(string Name, long Length)>> ListSegmentsAsync(CancellationToken cancellationToken) => _reader.ListAsync(cancellationToken);

    /// <inheritdoc cref="IndexReader.ReadAsync"/>
    public Task ReadIndexAsync(CancellationToken cancellationToken, bool afresh = false) => _reader.ReadAsync(afresh, cancellationToken);

    /// <inheritdoc cref="IndexReader.RefreshAsync"/>
    public Task<IReadOnlySet<string>> RefreshIndexAsync(CancellationToken cancellationToken) => _reader.RefreshAsync(cancellationToken);

    /// <inheritdoc cref="PackSurvey.RunAsync"/>
    public Task SurveyPacksAsync(CancellationToken cancellationToken) => _survey.RunAsync(cancellationToken);

    /// <inheritdoc cref="PackSurvey.LookAsync"/>
    public Task<IReadOnlyList<PackInfo>> LookAsync(CancellationToken cancellationToken) => _survey.LookAsync(cancellationToken);

    /// <summary>
    /// Gives back memory that look-ups in a great index, and much reading of metadata, have filled: for whoever is done with that and goes on for long. The collector by itself
    /// lets the large buffers of one phase lie beside those of the next.
    /// </summary>
    public void ReleaseMemory()
    {
        Index.Release();
        _metadata.Clear();
        if (Index.RecordCount >= GreatIndex)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    public bool Contains(ChunkId id) => Index.Contains(id);

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken) =>
        ReadAsync(kind, id, identify: false, cancellationToken);

    /// <summary>Reads a chunk: the first copy that is sound, or, where somebody gives what no pack does, what that gives.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="id">Its name.</param>
    /// <param name="identify">Whether the name is computed from the bytes that a copy gives. A seal shows that nobody changed what was stored; this shows
    /// that it was encoded and decoded as it should be.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing and the like: no copy is sound.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, bool identify, CancellationToken cancellationToken) =>
        ReadAsync(kind, id, identify, Rescue, Allocate, cancellationToken);

    /// <summary>Reads content into memory of the caller's, who knows how long it is needed.</summary>
    /// <param name="id">The chunk's name.</param>
    /// <param name="allocate">Gives an array of at least so many bytes. What is returned is its beginning, or, where the chunk was brought back, another one.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As <see cref="ReadAsync(ChunkKind, ChunkId, bool, CancellationToken)"/>.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadContentAsync(ChunkId id, Func<int, byte[]> allocate, CancellationToken cancellationToken) =>
        ReadAsync(ChunkKind.Content, id, identify: false, Rescue, allocate, cancellationToken);

    private static byte[] Allocate(int length) => GC.AllocateUninitializedArray<byte>(length);

    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        ChunkKind kind, ChunkId id, bool identify, IChunkRescue? rescue, Func<int, byte[]> allocate, CancellationToken cancellationToken)
    {
        for (int times = 0; ; times++)
        {
            int looks = _survey.Looks;
            (ReadOnlyMemory<byte>? plaintext, BackupException? failure) = await TryReadCopiesAsync(kind, id, identify, allocate, cancellationToken).ConfigureAwait(false);
            if (plaintext is { } sound)
            {
                return sound;
            }

            if (times == MostLooks || !await _survey.LookForMovedAsync(looks, cancellationToken).ConfigureAwait(false))
            {
                NoteMissing(id);
                if (rescue is not null && await rescue.TryReadAsync(kind, id, cancellationToken).ConfigureAwait(false) is { } rescued)
                {
                    return rescued;
                }

                NoteLoss();
                throw failure ?? VaultDamage.Missing(id.ToString(), "Chunk");
            }
        }
    }

    /// <summary>
    /// Whether a chunk that the index knows can be relied on: a copy of it opens, in a pack. Copies that do not count as absent from now on. Blocks of metadata are
    /// opened once; content whenever it is asked for.
    /// </summary>
    public async ValueTask<bool> IsSoundAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        if (kind != ChunkKind.Content && _sound.ContainsKey(id))
        {
            return true;
        }

        // What is opened is thrown away, and a job does that thousands of times.
        var rented = new List<byte[]>(1);
        try
        {
            await ReadAsync(kind, id, identify: false, rescue: null, Rent, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            // One report a pack says it all.
            if (Index.FindAll(id).Aggregate(false, (any, copy) => _damagedPacks.TryAdd(copy.Pack, 0) || any))
            {
                Report(e);
            }

            return false;
        }
        catch (BackupException e)
        {
            // Archived, or out of reach for now: that says nothing against it. Whoever writes to a vault that is away fails by that.
            if (e.Id != BackupErrorId.VaultDataArchived)
            {
                Report(e);
            }

            return true;
        }
        finally
        {
            rented.ForEach(array => ArrayPool<byte>.Shared.Return(array));
        }

        byte[] Rent(int length)
        {
            byte[] array = ArrayPool<byte>.Shared.Rent(length);
            rented.Add(array);
            return array;
        }
    }

    /// <summary>Whether a pack may still give a chunk: this copy opens and is what it is named after, or cannot be read for now, which says nothing against it.</summary>
    public async ValueTask<bool> MayGiveAsync(ChunkLocation copy, CancellationToken cancellationToken)
    {
        try
        {
            await ReadCopyAsync(copy, identify: true, Allocate, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing)
        {
            return false;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultDataUnreadable or BackupErrorId.VaultDataArchived)
        {
            return true;
        }
    }

    /// <summary>Notes that what there is of a block of metadata is whole.</summary>
    public void NoteSound(ChunkId id) => _sound.TryAdd(id, 0);

    /// <summary>Notes that something that was needed could not be read.</summary>
    public void NoteLoss() => _hasLost = true;

    /// <summary>Every copy of a chunk; where the index knows none, the packs themselves are asked once.</summary>
    public async ValueTask<IReadOnlyList<ChunkLocation>> LocateAsync(ChunkId id, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChunkLocation> copies = Index.FindAll(id);
        if (copies.Count == 0)
        {
            await SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
            copies = Index.FindAll(id);
        }

        return copies;
    }

    /// <summary>Reads a range of a pack.</summary>
    /// <exception cref="BackupException">VaultDataMissing, VaultDataCorrupt where the pack is too short.</exception>
    public async ValueTask FetchAsync(PackInfo pack, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_unreadable.TryGetValue(pack, out (int Times, BackupException Last) known) && known.Times >= UnreadableTimes)
        {
            throw known.Last;
        }

        string name = NameOf(pack);
        int read;
        try
        {
            read = await Objects.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // Lost, or written anew by a collector since the index was read.
            pack.IsAvailable = false;
            _survey.NoteGone(pack);
            throw;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataUnreadable)
        {
            HasMetTrouble = true;
            _unreadable.AddOrUpdate(pack, (1, e), (_, before) => (before.Times + 1, e));
            throw;
        }

        if (read < destination.Length)
        {
            throw VaultDamage.Corrupt(name, "it is truncated");
        }
    }

    private ValueTask FetchAsync(in ChunkLocation location, Memory<byte> destination, CancellationToken cancellationToken) => location.Chunk.Kind == ChunkKind.Content
        ? FetchAsync(location.Pack, location.Chunk.Offset, destination, cancellationToken)
        : _metadata.ReadAsync(location.Pack, location.Chunk.Offset, destination, cancellationToken);

    /// <summary>Opens a chunk from its sealed bytes.</summary>
    /// <param name="aes">From <see cref="PackReader.OpenPack(StoreKeys, PackInfo)"/> for the chunk's pack.</param>
    /// <param name="scratch">At least as long as the sealed bytes.</param>
    /// <param name="destination">Exactly the chunk's raw length.</param>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public void Open(AesGcm aes, in ChunkLocation location, ReadOnlySpan<byte> sealedBytes, Span<byte> scratch, Span<byte> destination)
    {
        if (!PackReader.TryOpenChunk(Keys, aes, location.Pack.Kind, location.Chunk, sealedBytes, scratch, destination))
        {
            throw VaultDamage.Corrupt(NameOf(location.Pack), $"the chunk {location.Chunk.Id} at offset {location.Chunk.Offset} does not authenticate");
        }
    }

    public string NameOf(PackInfo pack) => VaultLayout.Pack(StoreId, pack.Session, pack.Number);

    /// <summary>Reads the footer of a pack: what it holds.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing.</exception>
    public async ValueTask<(PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)> ReadFooterAsync(
        StoredObject found,
        SessionId session,
        uint number,
        CancellationToken cancellationToken)
    {
        if (found.Length < PackFormat.Overhead(0) || found.Length > PackFormat.MaxLength)
        {
            throw VaultDamage.Corrupt(found.Name, "its length is impossible for a pack");
        }

        byte[] header = new byte[PackFormat.HeaderLength];
        byte[] trailer = new byte[PackFormat.TrailerLength];
        await Task.WhenAll(
            ReadExactlyAsync(Objects, found.Name, 0, header, cancellationToken).AsTask(),
            ReadExactlyAsync(Objects, found.Name, found.Length - trailer.Length, trailer, cancellationToken).AsTask()).ConfigureAwait(false);
        PackKind kind = PackReader.ReadHeader(found.Name, header, out byte[] salt, out byte epoch);
        byte[] footer = new byte[PackReader.ReadFooterLength(found.Name, found.Length, trailer)];
        await ReadExactlyAsync(Objects, found.Name, found.Length - trailer.Length - footer.Length, footer, cancellationToken).ConfigureAwait(false);
        List<PackedChunk> chunks = PackReader.ReadFooter(Keys, found.Name, found.Length, header, footer);
        return (new PackInfo(session, number, kind, (int)found.Length, salt, epoch), chunks);
    }

    /// <summary>Reads and opens a sealed object. One that is damaged, and of which there is a second copy, is taken from that, and the damage is reported.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<(ReadOnlyMemory<byte> Plaintext, SealedObjectKind Kind)> ReadSealedAsync(string name, long length, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadFirstAsync(name, length, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException damage) when (damage.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataUnreadable)
        {
            if (await TryReadCopyAsync(name, cancellationToken).ConfigureAwait(false) is not { } copy)
            {
                throw;
            }

            Report(damage);
            return (copy.Plaintext, copy.Kind);
        }
    }

    /// <summary>Reads and opens the second copy of an object; null where there is none that opens.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it holds, when it was created, and all of its bytes, which are those of the object.</returns>
    public async Task<(ReadOnlyMemory<byte> Plaintext, SealedObjectKind Kind, DateTimeOffset Created, byte[] Content)?> TryReadCopyAsync(string name, CancellationToken cancellationToken)
    {
        if (VaultLayout.KindOf(name, out _) is not (StoredKind.Segment or StoredKind.Point)
            || await Objects.StatAsync(VaultLayout.CopyOf(name), cancellationToken).ConfigureAwait(false) is not { Length: <= SealedObject.MaxLength } found)
        {
            return null;
        }

        try
        {
            byte[] content = new byte[found.Length];
            await ReadExactlyAsync(Objects, found.Name, 0, content, cancellationToken).ConfigureAwait(false);
            return (SealedObject.Open(Keys, name, content, out SealedObjectKind kind), kind, found.Created, content);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return null;
        }
    }

    /// <summary>Reads and opens a sealed object, and never a copy of it.</summary>
    /// <remarks>Memory: of large objects two at once, whoever asks; and they are looked at before they are read.</remarks>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<(ReadOnlyMemory<byte> Plaintext, SealedObjectKind Kind)> ReadFirstAsync(string name, long length, CancellationToken cancellationToken)
    {
        if (length <= LargeSealedLength)
        {
            return await ReadWholeAsync().ConfigureAwait(false);
        }

        await _largeSealed.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            byte[] beginning = new byte[SealedObject.HeaderLength];
            await ReadExactlyAsync(Early, name, 0, beginning, cancellationToken).ConfigureAwait(false);
            SealedObject.Inspect(name, length, beginning);
            return await ReadWholeAsync().ConfigureAwait(false);
        }
        finally
        {
            _largeSealed.Release();
        }

        async Task<(ReadOnlyMemory<byte> Plaintext, SealedObjectKind Kind)> ReadWholeAsync()
        {
            byte[] content = new byte[length];
            await ReadExactlyAsync(Early, name, 0, content, cancellationToken).ConfigureAwait(false);
            return (SealedObject.Open(Keys, name, content, out SealedObjectKind kind), kind);
        }
    }

    /// <summary>Whether an object is sealed by this store's key under its name.</summary>
    public async Task<bool> OpensAsync(StoredObject found, CancellationToken cancellationToken)
    {
        try
        {
            await ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return false;
        }
    }

    /// <summary>Notes a damage that does not stop the work.</summary>
    /// <param name="damage">The damage.</param>
    /// <param name="isLeftover">Whether a job that was killed may have left it so, and nothing is known to need it.</param>
    public void Report(BackupException damage, bool isLeftover = false)
    {
        HasMetTrouble = true;
        _isDamaged |= !isLeftover;
        lock (_damageGate)
        {
            _damage.Add(damage);
            _damagedNames.Add(damage.Target ?? string.Empty);
        }
    }

    // Of the packs that a chunk was in, those that were reported: others have been collected, and the chunk with them.
    private void NoteMissing(ChunkId id)
    {
        foreach (PackInfo pack in Index.FindEver(id).Select(place => place.Pack).Where(pack => !pack.IsAvailable))
        {
            bool isReported;
            lock (_damageGate)
            {
                isReported = _damagedNames.Contains(NameOf(pack));
            }

            if (isReported)
            {
                Broken.Add(pack);
            }
        }
    }

    private async ValueTask<(ReadOnlyMemory<byte>? Plaintext, BackupException? Failure)> TryReadCopiesAsync(
        ChunkKind kind, ChunkId id, bool identify, Func<int, byte[]> allocate, CancellationToken cancellationToken)
    {
        BackupException? failure = null;
        PackInfo? broken = null;
        foreach (ChunkLocation copy in await LocateAsync(id, cancellationToken).ConfigureAwait(false))
        {
            if (copy.Chunk.Kind != kind)
            {
                continue;
            }

            try
            {
                ReadOnlyMemory<byte> plaintext = await ReadCopyAsync(copy, identify, allocate, cancellationToken).ConfigureAwait(false);
                if (kind != ChunkKind.Content)
                {
                    NoteSound(id);
                }

                if (broken is not null && VaultDamage.Evaded(failure!) is var told && Broken.NoteCopy(broken, told))
                {
                    Report(told);
                }

                return (plaintext, null);
            }
            catch (BackupException e) when (e.IsDamage)
            {
                HasMetTrouble = true;
                Index.Distrust(copy);
                if (e.Id != BackupErrorId.VaultDataMissing)
                {
                    (broken, failure) = (copy.Pack, e);
                    Broken.Add(copy.Pack);
                }

                failure ??= e;
            }
        }

        return (null, failure);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadCopyAsync(ChunkLocation copy, bool identify, Func<int, byte[]> allocate, CancellationToken cancellationToken)
    {
        // What is sealed, and what is compressed, is needed for a moment only; both may be megabytes.
        int length = copy.Chunk.StoredLength;
        byte[] stored = ArrayPool<byte>.Shared.Rent(length);
        await FetchAsync(copy, stored.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(length);
        Memory<byte> plaintext = allocate(copy.Chunk.RawLength).AsMemory(0, copy.Chunk.RawLength);
        try
        {
            using AesGcm aes = PackReader.OpenPack(Keys, copy.Pack);
            Open(aes, copy, stored.AsSpan(0, length), scratch, plaintext.Span);
        }
        finally
        {
            // Not where fetching failed: what was given up may still be written to.
            ArrayPool<byte>.Shared.Return(stored);
            ArrayPool<byte>.Shared.Return(scratch);
        }

        return !identify || Identity.Compute(copy.Chunk.Kind, plaintext.Span) == copy.Chunk.Id
            ? plaintext
            : throw VaultDamage.Corrupt(
                NameOf(copy.Pack), $"the chunk {copy.Chunk.Id} at offset {copy.Chunk.Offset} gives other bytes than those that it is named after");
    }

    private static async ValueTask ReadExactlyAsync(IVaultStore objects, string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (await objects.ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false) < destination.Length)
        {
            throw VaultDamage.Corrupt(name, "it is truncated");
        }
    }

    private async Task<bool> WasImmutableAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Header.OwnerIdentity is not null && (await new VaultSettingsRegister(Vault).ReadAsync(cancellationToken).ConfigureAwait(false)).ImmutableDays > 0;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            // Nobody knows: the lock stays.
            return false;
        }
    }
}
