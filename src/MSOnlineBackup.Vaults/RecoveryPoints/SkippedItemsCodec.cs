using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Lists of skipped items: chunks of JSON lines, each line one item, each chunk whole lines.</summary>
internal static class SkippedItemsCodec
{
    /// <summary>A chunk that has this many bytes is closed.</summary>
    public const int ChunkBytes = 1 << 20;

    /// <summary>Appends an item as one line.</summary>
    public static void Write(IBufferWriter<byte> lines, SkippedItem item)
    {
        lines.Write(JsonSerializer.SerializeToUtf8Bytes(
            new SkippedItemJson(item.Path, item.Id.ToString(), item.Reason),
            RecoveryPointJsonContext.Default.SkippedItemJson));
        lines.Write("\n"u8);
    }

    /// <summary>The items of one chunk. An id that is not known is UnexpectedError; its reason still says what it was.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static IReadOnlyList<SkippedItem> Read(ChunkId id, ReadOnlySpan<byte> chunk)
    {
        var items = new List<SkippedItem>();
        while (!chunk.IsEmpty)
        {
            int end = chunk.IndexOf((byte)'\n');
            if (end < 0)
            {
                throw ManifestFormat.Damaged(id, "its last line has no end");
            }

            items.Add(ReadLine(id, chunk[..end]));
            chunk = chunk[(end + 1)..];
        }

        return items;
    }

    /// <summary>The items of several chunks, in order.</summary>
    /// <param name="chunks">Where they are.</param>
    /// <param name="ids">The chunks.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets each chunk that cannot be read, and the list goes on behind it; where it is null, that is thrown.</param>
    public static async IAsyncEnumerable<SkippedItem> ReadAsync(
        IChunkReader chunks,
        IReadOnlyList<ChunkId> ids,
        [EnumeratorCancellation] CancellationToken cancellationToken,
        Action<BackupException>? damaged = null)
    {
        foreach (ChunkId id in ids)
        {
            foreach (SkippedItem item in await ReadAsync(chunks, id, damaged, cancellationToken).ConfigureAwait(false))
            {
                yield return item;
            }
        }
    }

    private static async Task<IReadOnlyList<SkippedItem>> ReadAsync(
        IChunkReader chunks, ChunkId id, Action<BackupException>? damaged, CancellationToken cancellationToken)
    {
        try
        {
            return Read(id, (await chunks.ReadAsync(ChunkKind.SkippedItems, id, cancellationToken).ConfigureAwait(false)).Span);
        }
        catch (BackupException e) when (e.IsDamage && damaged is not null)
        {
            damaged(e);
            return [];
        }
    }

    private static SkippedItem ReadLine(ChunkId id, ReadOnlySpan<byte> line)
    {
        SkippedItemJson? json;
        try
        {
            json = JsonSerializer.Deserialize(line, RecoveryPointJsonContext.Default.SkippedItemJson);
        }
        catch (JsonException)
        {
            throw ManifestFormat.Damaged(id, "a line is not JSON");
        }

        if (json is not { Path: { } path, Id: { } name, Reason: { } reason })
        {
            throw ManifestFormat.Damaged(id, "a skipped item lacks a field");
        }

        BackupErrorId error = Enum.TryParse(name, out BackupErrorId known) && Enum.IsDefined(known) ? known : BackupErrorId.UnexpectedError;
        return new SkippedItem(path, error, reason);
    }
}

/// <summary>Collects skipped items into chunks. One caller at a time; memory: one chunk.</summary>
internal sealed class SkippedItemsWriter(IChunkWriter chunks)
{
    private readonly ArrayBufferWriter<byte> _lines = new();
    private readonly List<ChunkId> _written = [];

    /// <summary>Appends an item.</summary>
    public async ValueTask AddAsync(SkippedItem item, CancellationToken cancellationToken)
    {
        SkippedItemsCodec.Write(_lines, item);
        if (_lines.WrittenCount >= SkippedItemsCodec.ChunkBytes)
        {
            _written.Add(await WriteAsync(cancellationToken).ConfigureAwait(false));
            _lines.ResetWrittenCount();
        }
    }

    /// <summary>The chunks that hold everything so far; appending may go on afterwards.</summary>
    public async ValueTask<IReadOnlyList<ChunkId>> ToChunksAsync(CancellationToken cancellationToken) =>
        _lines.WrittenCount == 0 ? [.. _written] : [.. _written, await WriteAsync(cancellationToken).ConfigureAwait(false)];

    private ValueTask<ChunkId> WriteAsync(CancellationToken cancellationToken) =>
        chunks.WriteAsync(ChunkKind.SkippedItems, _lines.WrittenMemory, cancellationToken);
}
