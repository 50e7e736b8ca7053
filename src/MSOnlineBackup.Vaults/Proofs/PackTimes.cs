using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>Packs with the time at which each was read last, as it is stored: <c>version u32 | (session 16 | number u32 | milliseconds i64) *</c>.</summary>
internal static class PackTimes
{
    private const uint Version = 1;
    private const int RecordLength = 16 + sizeof(uint) + sizeof(long);

    /// <summary>So many packs in one record: 28 MB.</summary>
    public const int MaxPacks = 1_000_000;

    /// <summary>Writes packs. A time of null is that of the record itself, which the store says.</summary>
    public static byte[] Encode(IReadOnlyCollection<((SessionId Session, uint Number) Pack, DateTimeOffset? Time)> packs)
    {
        byte[] content = new byte[sizeof(uint) + (packs.Count * RecordLength)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Version);
        Span<byte> rest = content.AsSpan(sizeof(uint));
        foreach (((SessionId session, uint number), DateTimeOffset? time) in packs)
        {
            session.ToBytes().CopyTo(rest);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[16..], number);
            BinaryPrimitives.WriteInt64LittleEndian(rest[20..], time?.ToUnixTimeMilliseconds() ?? 0);
            rest = rest[RecordLength..];
        }

        return content;
    }

    /// <summary>Reads packs into a dictionary, of each the latest time.</summary>
    /// <param name="name">The record, for messages.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="created">When it was created, by the store's clock.</param>
    /// <param name="times">Gets them.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static void Decode(string name, ReadOnlySpan<byte> content, DateTimeOffset created, Dictionary<(SessionId Session, uint Number), DateTimeOffset> times)
    {
        if (content.Length < sizeof(uint) || (content.Length - sizeof(uint)) % RecordLength != 0)
        {
            throw VaultDamage.Corrupt(name, "its length is impossible");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(content);
        if (version != Version)
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"The record '{name}' of a verification has format {version}; this version reads {Version}.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        for (ReadOnlySpan<byte> rest = content[sizeof(uint)..]; !rest.IsEmpty; rest = rest[RecordLength..])
        {
            if (!SessionId.TryRead(rest[..16], out SessionId session))
            {
                throw VaultDamage.Corrupt(name, "it names what is no session");
            }

            // What was said later than the record was made is not believed.
            long milliseconds = BinaryPrimitives.ReadInt64LittleEndian(rest[20..]);
            DateTimeOffset time = milliseconds == 0 || milliseconds > created.ToUnixTimeMilliseconds() || milliseconds < 0 ? created : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
            (SessionId, uint) pack = (session, BinaryPrimitives.ReadUInt32LittleEndian(rest[16..]));
            times[pack] = times.TryGetValue(pack, out DateTimeOffset other) && other > time ? other : time;
        }
    }
}
