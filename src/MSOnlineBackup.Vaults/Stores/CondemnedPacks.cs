using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// The packs that a collector means to delete: <c>gc/NUMBER.condemn</c>, a sealed object. A session takes no chunk
/// for stored that only such a pack holds.
/// </summary>
internal static class CondemnedPacks
{
    private const int RecordLength = 16 + sizeof(uint);
    public const string Suffix = ".condemn";

    /// <summary>The record's name.</summary>
    public static string NameOf(StoreId storeId, uint number) => $"{VaultLayout.Collections(storeId)}{number:x8}{Suffix}";

    /// <summary>Writes what a record holds: <c>version u32 | (session 16 | number u32)*</c>.</summary>
    public static byte[] Encode(IReadOnlyCollection<(SessionId Session, uint Number)> packs) => RecordList.Encode(RecordLength, packs, (record, pack) =>
    {
        pack.Session.ToBytes().CopyTo(record);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], pack.Number);
    });

    /// <summary>All packs that some record condemns.</summary>
    /// <exception cref="BackupException">
    /// VaultDataCorrupt, VaultFormatUnsupported: without knowing what is about to be deleted, nothing can be relied on.
    /// </exception>
    public static async Task<IReadOnlySet<(SessionId Session, uint Number)>> ReadAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var packs = new HashSet<(SessionId, uint)>();
        string prefix = VaultLayout.Collections(store.StoreId);
        await foreach (StoredObject found in store.Objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (!found.Name.EndsWith(Suffix, StringComparison.Ordinal) || !VaultLayout.TryParseNumber(found.Name.AsSpan(prefix.Length..^Suffix.Length), out _))
            {
                continue;
            }

            try
            {
                (ReadOnlyMemory<byte> content, SealedObjectKind kind) =
                    await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
                if (kind == SealedObjectKind.CondemnedPacks)
                {
                    Decode(found.Name, content.Span, packs);
                }
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
            {
                // It was removed since it was listed: its packs were gone before this session was announced, or it would have been waited for.
                continue;
            }
        }

        return packs;
    }

    /// <summary>Reads what a record holds.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static void Decode(string name, ReadOnlySpan<byte> content, HashSet<(SessionId, uint)> packs)
    {
        for (ReadOnlySpan<byte> rest = RecordList.Decode(name, content, RecordLength); !rest.IsEmpty; rest = rest[RecordLength..])
        {
            // What is no session's id is in the name of no pack.
            if (SessionId.TryRead(rest[..16], out SessionId session))
            {
                packs.Add((session, BinaryPrimitives.ReadUInt32LittleEndian(rest[16..])));
            }
        }
    }
}
