using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// What collectors have decided, by <c>gc/NUMBER.*</c>. A collection is a series of objects that are each created once: <c>condemn</c> names packs that are to go;
/// <c>wait</c> the sessions that may rely on them; <c>verdict</c> those packs that do go, once for all; <c>done</c> the sessions that may not have seen that they went.
/// </summary>
/// <remarks>
/// Numbers rise, and a record is created under the number after the highest that its collector saw. So who has created one knows that nobody has condemned anything since
/// it looked, and all collectors agree on one order.
/// </remarks>
internal sealed class CollectionRecords
{
    internal const string Verdict = ".verdict";
    internal const string Wait = ".wait";
    internal const string Done = ".done";
    private const string Probe = ".probe";

    private readonly ChunkStore _store;

    private CollectionRecords(ChunkStore store, IReadOnlyList<Collection> all, uint highest, IReadOnlyList<string> probes) =>
        (_store, All, Highest, Probes) = (store, all, highest, probes);

    /// <summary>Records that are damaged. What they said is not needed to go on: each of their collections has a safe way without it.</summary>
    public IEnumerable<BackupException> Damage => All.SelectMany(collection => collection.Damage.Values);

    /// <summary>The collections that are not over, in the order of their numbers.</summary>
    public IReadOnlyList<Collection> All { get; }

    /// <summary>The highest number that was used; 0 where none was.</summary>
    public uint Highest { get; }

    /// <summary>What runs have created to see whether they may delete, and were stopped before they did.</summary>
    public IReadOnlyList<string> Probes { get; }

    private static string ProbeOf(ChunkStore store, SessionId session) => $"{VaultLayout.Collections(store.StoreId)}{session}{Probe}";

    /// <summary>Reads what is there.</summary>
    /// <exception cref="BackupException">
    /// VaultDataCorrupt of a <c>condemn</c> record, VaultFormatUnsupported: without knowing what is about to be deleted, nothing more can be decided.
    /// </exception>
    public static async Task<CollectionRecords> ReadAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var probes = new List<string>();
        SortedDictionary<uint, Dictionary<string, StoredObject>> parts = await ListAsync(store, probes, cancellationToken).ConfigureAwait(false);
        var all = new List<Collection>();
        foreach ((uint number, Dictionary<string, StoredObject> of) in parts)
        {
            all.Add(await ReadAsync(store, number, of, cancellationToken).ConfigureAwait(false));
        }

        return new CollectionRecords(store, all, parts.Count == 0 ? 0 : parts.Keys.Last(), probes);
    }

    /// <summary>Reads the records beside <c>condemn</c>, and returns what is damaged of them.</summary>
    public static async Task<IReadOnlyList<BackupException>> FindDamageAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var damage = new List<BackupException>();
        foreach ((uint number, Dictionary<string, StoredObject> of) in await ListAsync(store, [], cancellationToken).ConfigureAwait(false))
        {
            of.Remove(CondemnedPacks.Suffix);
            damage.AddRange((await ReadAsync(store, number, of, cancellationToken).ConfigureAwait(false)).Damage.Values);
        }

        return damage;
    }

    private static async Task<SortedDictionary<uint, Dictionary<string, StoredObject>>> ListAsync(
        ChunkStore store, List<string> probes, CancellationToken cancellationToken)
    {
        var parts = new SortedDictionary<uint, Dictionary<string, StoredObject>>();
        string prefix = VaultLayout.Collections(store.StoreId);
        await foreach (StoredObject found in store.Objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            string name = found.Name[prefix.Length..];
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            if (name.EndsWith(Probe, StringComparison.Ordinal))
            {
                probes.Add(found.Name);
            }
            else if (dot == 8 && VaultLayout.TryParseNumber(name.AsSpan(0, dot), out uint number))
            {
                if (!parts.TryGetValue(number, out Dictionary<string, StoredObject>? of))
                {
                    parts.Add(number, of = []);
                }

                of[name[dot..]] = found;
            }
        }

        return parts;
    }

    /// <summary>Sees whether this identity may delete from the vault: by an object that says nothing. Returns why not; null where it may.</summary>
    public static async Task<BackupException?> TryDeletingAsync(ChunkStore store, SessionId session, CancellationToken cancellationToken)
    {
        string probe = ProbeOf(store, session);
        try
        {
            // A cloud refuses even the deletion of what is not there: then nothing is left behind.
            await store.Objects.DeleteAsync(probe, cancellationToken).ConfigureAwait(false);
            await store.Objects.TryCreateAsync(probe, "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            await store.Objects.DeleteAsync(probe, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccessDenied)
        {
            return e;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataProtected)
        {
            // It may, only not yet: the storage keeps what is new.
            return null;
        }
    }

    /// <summary>The packs that some collection condemns, whether it was decided or not.</summary>
    public IReadOnlySet<(SessionId Session, uint Number)> Condemned => All.SelectMany(collection => collection.Condemned ?? new HashSet<(SessionId, uint)>()).ToHashSet();

    /// <summary>Condemns packs. Returns the collection's number; null where another collector was faster: then everything has to be looked at anew.</summary>
    public async Task<uint?> TryCondemnAsync(IReadOnlyCollection<(SessionId Session, uint Number)> packs, CancellationToken cancellationToken)
    {
        uint number = Highest + 1;
        string name = CondemnedPacks.NameOf(_store.StoreId, number);
        return await TryCreateAsync(_store, name, SealedObjectKind.CondemnedPacks, CondemnedPacks.Encode(packs), cancellationToken).ConfigureAwait(false) ? number : null;
    }

    /// <summary>Says for whom a collection waits. Returns those that count: where somebody else has said so before, theirs.</summary>
    /// <exception cref="BackupException">SessionFenced: the collection is over, and was ended without this run.</exception>
    public static async Task<IReadOnlySet<SessionId>> SettleWaitAsync(
        ChunkStore store, uint number, IReadOnlySet<SessionId> sessions, CancellationToken cancellationToken)
    {
        string name = NameOf(store, number, Wait);
        return await TryCreateAsync(store, name, SealedObjectKind.AwaitedSessions, AwaitedSessions.Encode(sessions), cancellationToken).ConfigureAwait(false)
            ? sessions
            : AwaitedSessions.Decode(name, (await ReadTakenAsync(store, name, SealedObjectKind.AwaitedSessions, cancellationToken).ConfigureAwait(false)).Span);
    }

    /// <summary>
    /// Says whose end is waited for before the records of a collection may go, whose packs are gone. Where somebody else has said so before, and whose
    /// end that was has come, the records may have gone already: then there is nothing left to say.
    /// </summary>
    public static async Task SettleDoneAsync(ChunkStore store, uint number, IReadOnlySet<SessionId> sessions, CancellationToken cancellationToken) =>
        await TryCreateAsync(store, NameOf(store, number, Done), SealedObjectKind.AwaitedSessions, AwaitedSessions.Encode(sessions), cancellationToken).ConfigureAwait(false);

    /// <summary>Decides which packs go. Returns those that do: where somebody else has decided before, theirs. From then on nothing brings them back.</summary>
    /// <exception cref="BackupException">SessionFenced: the collection is over, and was ended without this run.</exception>
    public static async Task<IReadOnlySet<(SessionId Session, uint Number)>> SettleVerdictAsync(
        ChunkStore store, uint number, IReadOnlySet<(SessionId Session, uint Number)> packs, CancellationToken cancellationToken)
    {
        string name = NameOf(store, number, Verdict);
        if (await TryCreateAsync(store, name, SealedObjectKind.CollectionVerdict, CondemnedPacks.Encode(packs), cancellationToken).ConfigureAwait(false))
        {
            // Of a collection that is over the records go, this one's first: while it is there, no verdict came before and went. Where it is not, what was
            // decided here is of another time. The next run removes it.
            return await store.Objects.StatAsync(CondemnedPacks.NameOf(store.StoreId, number), cancellationToken).ConfigureAwait(false) is not null
                ? packs
                : throw Overtaken(name);
        }

        var theirs = new HashSet<(SessionId, uint)>();
        CondemnedPacks.Decode(name, (await ReadTakenAsync(store, name, SealedObjectKind.CollectionVerdict, cancellationToken).ConfigureAwait(false)).Span, theirs);
        return theirs;
    }

    /// <summary>Deletes the records of a collection that is over: the one that writers look for first. False where the storage keeps one of them.</summary>
    public static async Task<bool> RemoveAsync(ChunkStore store, uint number, CancellationToken cancellationToken)
    {
        foreach (string suffix in (string[])[CondemnedPacks.Suffix, Wait, Verdict, Done])
        {
            if (!await store.Deletion.TryDeleteAsync(NameOf(store, number, suffix), cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<Collection> ReadAsync(ChunkStore store, uint number, Dictionary<string, StoredObject> parts, CancellationToken cancellationToken)
    {
        var damage = new Dictionary<string, BackupException>();
        try
        {
            return new Collection(
                number,
                await PacksAsync(CondemnedPacks.Suffix, SealedObjectKind.CondemnedPacks).ConfigureAwait(false),
                await TryAsync(Wait, SessionsAsync).ConfigureAwait(false),
                await TryAsync(Verdict, suffix => PacksAsync(suffix, SealedObjectKind.CollectionVerdict)).ConfigureAwait(false),
                await TryAsync(Done, SessionsAsync).ConfigureAwait(false)) { Damage = damage };
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // Somebody removes it, for it is over: were it not, its end would wait for whoever reads here, who was announced before.
            return new Collection(number, null, null, null, null);
        }

        // Only what is damaged for good: what cannot be read for another reason may be readable in the next run.
        async Task<T?> TryAsync<T>(string suffix, Func<string, Task<T?>> read)
            where T : class
        {
            try
            {
                return await read(suffix).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataCorrupt)
            {
                damage.Add(suffix, e);
                return null;
            }
        }

        async Task<IReadOnlySet<(SessionId Session, uint Number)>?> PacksAsync(string suffix, SealedObjectKind kind)
        {
            if (!parts.TryGetValue(suffix, out StoredObject found))
            {
                return null;
            }

            var packs = new HashSet<(SessionId, uint)>();
            CondemnedPacks.Decode(found.Name, (await OpenAsync(store, found, kind, cancellationToken).ConfigureAwait(false)).Span, packs);
            return packs;
        }

        async Task<IReadOnlySet<SessionId>?> SessionsAsync(string suffix) => parts.TryGetValue(suffix, out StoredObject found)
            ? AwaitedSessions.Decode(found.Name, (await OpenAsync(store, found, SealedObjectKind.AwaitedSessions, cancellationToken).ConfigureAwait(false)).Span)
            : null;
    }

    private static string NameOf(ChunkStore store, uint number, string suffix) => $"{VaultLayout.Collections(store.StoreId)}{number:x8}{suffix}";

    private static async Task<bool> TryCreateAsync(ChunkStore store, string name, SealedObjectKind kind, byte[] content, CancellationToken cancellationToken) =>
        await store.Objects.TryCreateAsync(name, SealedObject.Seal(store.Keys, kind, name, content), cancellationToken).ConfigureAwait(false);

    // A record that somebody else created before. It goes when nobody is waited for any more who was at work when it came: whoever misses it was taken for
    // dead, or began after it and was shown an old listing.
    private static async Task<ReadOnlyMemory<byte>> ReadTakenAsync(ChunkStore store, string name, SealedObjectKind kind, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is { } found)
            {
                return await OpenAsync(store, found, kind, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            // It went in between.
        }

        throw Overtaken(name);
    }

    private static BackupException Overtaken(string name) => new(
        BackupErrorId.SessionFenced,
        "Another maintenance run did not wait for this one and ended what both had begun.",
        "Run it again: what it did stays done.",
        name,
        transient: true);

    private static async Task<ReadOnlyMemory<byte>> OpenAsync(ChunkStore store, StoredObject found, SealedObjectKind expected, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
        return kind == expected ? content : throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
    }
}

/// <summary>A collection: what was decided of some packs, as far as it has come.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Condemned">The packs that are to go; null where that record was removed, and with it all that was to be done.</param>
/// <param name="Wait">The sessions that may rely on them; null where that was not settled.</param>
/// <param name="Verdict">Those that do go; null where that was not decided.</param>
/// <param name="Done">Where they are gone: the sessions that may not have seen that. Null before.</param>
internal sealed record Collection(
    uint Number,
    IReadOnlySet<(SessionId Session, uint Number)>? Condemned,
    IReadOnlySet<SessionId>? Wait,
    IReadOnlySet<(SessionId Session, uint Number)>? Verdict,
    IReadOnlySet<SessionId>? Done)
{
    /// <summary>Those of its records that are damaged, by the end of their names. What they said is null here.</summary>
    public IReadOnlyDictionary<string, BackupException> Damage { get; init; } = new Dictionary<string, BackupException>();

    /// <summary>Whether it was settled for whom it waits, and nobody knows any more what.</summary>
    public bool IsWaitLost => Damage.ContainsKey(CollectionRecords.Wait);

    /// <summary>Whether it was decided, and nobody knows any more how.</summary>
    public bool IsVerdictLost => Damage.ContainsKey(CollectionRecords.Verdict);

    /// <summary>Whether its packs are gone.</summary>
    public bool IsDone => Done is not null || Damage.ContainsKey(CollectionRecords.Done);
}
