using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>
/// What was proven of a chunk store, by the records below <c>proofs/</c>: each is created once, under a random name, and says what one run has found. Nothing depends on them
/// but what is read next and what people are told, so one that cannot be read is passed over: what it told of is proven again.
/// </summary>
internal sealed class ProofLog
{
    private const int IdLength = 16;

    private readonly ChunkStore _store;
    private readonly IReadOnlyList<(StoredObject Object, ProofKind Kind)> _records;

    private ProofLog(ChunkStore store, IReadOnlyList<(StoredObject, ProofKind)> records) => (_store, _records) = (store, records);

    /// <summary>Lists the records, unread.</summary>
    public static async Task<ProofLog> ListAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var records = new List<(StoredObject, ProofKind)>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Proofs(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (KindOf(found.Name) is { } kind)
            {
                records.Add((found, kind));
            }
        }

        return new ProofLog(store, records);
    }

    /// <summary>The records of a kind.</summary>
    public IReadOnlyList<StoredObject> Of(ProofKind kind) => [.. _records.Where(record => record.Kind == kind).Select(record => record.Object)];

    /// <summary>When the newest record of a kind was created, by the store's clock; null where there is none.</summary>
    public DateTimeOffset? LastOf(ProofKind kind) => Of(kind).Max(record => (DateTimeOffset?)record.Created);

    /// <summary>Reads what is known of packs.</summary>
    public async Task<PackProofs> ReadPacksAsync(CancellationToken cancellationToken) =>
        new(await ReadTimesAsync(ProofKind.Packs, cancellationToken).ConfigureAwait(false), await ReadTimesAsync(ProofKind.Damage, cancellationToken).ConfigureAwait(false));

    /// <summary>Reads which packs were found damaged or missing, and not found whole since, in the order of names; those that are about to go are left out.</summary>
    public async Task<IReadOnlyList<(SessionId Session, uint Number, DateTimeOffset Since)>> ReadDamagedAsync(CancellationToken cancellationToken)
    {
        if (Of(ProofKind.Damage).Count == 0)
        {
            return [];
        }

        PackProofs proofs = await ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlySet<(SessionId Session, uint Number)> going = await CondemnedPacks.ReadAsync(_store, cancellationToken).ConfigureAwait(false);
        return [.. proofs.Damaged.Where(pack => !going.Contains(pack)).Select(pack => (pack.Session, pack.Number, proofs.Broken[pack]))];
    }

    /// <summary>Reads the trial restores that are on record, with when the store has got each.</summary>
    public async Task<IReadOnlyList<(TrialProof Trial, StoredObject Object)>> ReadTrialsAsync(CancellationToken cancellationToken)
    {
        var trials = new List<(TrialProof, StoredObject)>();
        await foreach ((StoredObject found, ReadOnlyMemory<byte> content) in ReadAsync(ProofKind.Restore, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                trials.Add((TrialProof.Decode(found.Name, content.Span), found));
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                // The next trial tells anew.
            }
        }

        return trials;
    }

    /// <summary>Writes a record.</summary>
    public static async Task WriteAsync(ChunkStore store, ProofKind kind, byte[] content, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Proofs(store.StoreId) + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength)) + SuffixOf(kind);
        await store.Objects.TryCreateAsync(name, SealedObject.Seal(store.Keys, SealedKindOf(kind), name, content), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes which packs were found so; nothing where there are none.</summary>
    public static async Task WritePacksAsync(
        ChunkStore store,
        ProofKind kind,
        IEnumerable<((SessionId Session, uint Number) Pack, DateTimeOffset? Time)> packs,
        CancellationToken cancellationToken)
    {
        foreach (((SessionId Session, uint Number) Pack, DateTimeOffset? Time)[] part in packs.Chunk(PackTimes.MaxPacks))
        {
            await WriteAsync(store, kind, PackTimes.Encode(part), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What a name's record is, by its ending; null where it is none.</summary>
    public static ProofKind? KindOf(string name)
    {
        string last = name[(name.LastIndexOf('/') + 1)..];
        foreach (ProofKind kind in Enum.GetValues<ProofKind>())
        {
            if (last.Length == (2 * IdLength) + SuffixOf(kind).Length && last.EndsWith(SuffixOf(kind), StringComparison.Ordinal))
            {
                return kind;
            }
        }

        return null;
    }

    private async Task<Dictionary<(SessionId Session, uint Number), DateTimeOffset>> ReadTimesAsync(ProofKind kind, CancellationToken cancellationToken)
    {
        var times = new Dictionary<(SessionId, uint), DateTimeOffset>();
        await foreach ((StoredObject found, ReadOnlyMemory<byte> content) in ReadAsync(kind, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                PackTimes.Decode(found.Name, content.Span, found.Created, times);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                // The packs that it named are read again.
            }
        }

        return times;
    }

    private async IAsyncEnumerable<(StoredObject Object, ReadOnlyMemory<byte> Content)> ReadAsync(
        ProofKind wanted, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach ((StoredObject found, ReadOnlyMemory<byte>? content) in ReadAhead.SelectAsync(Of(wanted), _store.Objects.Capabilities.MaxConcurrency, ReadAsync, cancellationToken).ConfigureAwait(false))
        {
            if (content is { } read)
            {
                yield return (found, read);
            }
        }

        async Task<(StoredObject Object, ReadOnlyMemory<byte>? Content)> ReadAsync(StoredObject found, CancellationToken token)
        {
            try
            {
                (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await _store.ReadSealedAsync(found.Name, found.Length, token).ConfigureAwait(false);
                return (found, kind == SealedKindOf(wanted) ? content : null);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                // Damaged, or tidied away by another run.
                return (found, null);
            }
        }
    }

    private static string SuffixOf(ProofKind kind) => kind switch
    {
        ProofKind.Packs => ".packs",
        ProofKind.Damage => ".damage",
        ProofKind.Restore => ".restore",
        ProofKind.Maintenance => ".maintain",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static SealedObjectKind SealedKindOf(ProofKind kind) => kind switch
    {
        ProofKind.Packs or ProofKind.Damage => SealedObjectKind.PackProofs,
        ProofKind.Restore => SealedObjectKind.TrialProof,
        _ => SealedObjectKind.MaintenanceProof,
    };
}
