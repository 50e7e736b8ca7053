using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>Packs with the time at which each was read last, as it is stored: <c>version u32 | (session 16 | number u32 | milliseconds i64) *</c>.</summary>
internal static class PackTimes
{
    private const int RecordLength = 16 + sizeof(uint) + sizeof(long);

    /// <summary>So many packs in one record: 28 MB.</summary>
    public const int MaxPacks = 1_000_000;

    /// <summary>Writes packs. A time of null is that of the record itself, which the store says.</summary>
    public static byte[] Encode(IReadOnlyCollection<((SessionId Session, uint Number) Pack, DateTimeOffset? Time)> packs) =>
        RecordList.Encode(RecordLength, packs, (record, item) =>
        {
            item.Pack.Session.ToBytes().CopyTo(record);
            BinaryPrimitives.WriteUInt32LittleEndian(record[16..], item.Pack.Number);
            BinaryPrimitives.WriteInt64LittleEndian(record[20..], item.Time?.ToUnixTimeMilliseconds() ?? 0);
        });

    /// <summary>Reads packs into a dictionary, of each the latest time.</summary>
    /// <param name="name">The record, for messages.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="created">When it was created, by the store's clock.</param>
    /// <param name="times">Gets them.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static void Decode(
        string name, ReadOnlySpan<byte> content, DateTimeOffset created, Dictionary<(SessionId Session, uint Number), DateTimeOffset> times)
    {
        for (ReadOnlySpan<byte> rest = RecordList.Decode(name, content, RecordLength); !rest.IsEmpty; rest = rest[RecordLength..])
        {
            if (!SessionId.TryRead(rest[..16], out SessionId session))
            {
                throw VaultDamage.Corrupt(name, "it names what is no session");
            }

            // What was said later than the record was made is not believed.
            long milliseconds = BinaryPrimitives.ReadInt64LittleEndian(rest[20..]);
            DateTimeOffset time = milliseconds <= 0 || milliseconds > created.ToUnixTimeMilliseconds()
                ? created
                : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
            (SessionId, uint) pack = (session, BinaryPrimitives.ReadUInt32LittleEndian(rest[16..]));
            times[pack] = times.TryGetValue(pack, out DateTimeOffset other) && other > time ? other : time;
        }
    }
}
