using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>The sessions that a collection waits for, as they are stored: <c>version u32 | session 16 *</c>.</summary>
internal static class AwaitedSessions
{
    private const uint Version = 1;
    private const int RecordLength = 16;

    /// <summary>Writes sessions.</summary>
    public static byte[] Encode(IReadOnlyCollection<SessionId> sessions)
    {
        byte[] content = new byte[sizeof(uint) + (sessions.Count * RecordLength)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Version);
        Span<byte> rest = content.AsSpan(sizeof(uint));
        foreach (SessionId session in sessions)
        {
            session.ToBytes().CopyTo(rest);
            rest = rest[RecordLength..];
        }

        return content;
    }

    /// <summary>Reads them.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static IReadOnlySet<SessionId> Decode(string name, ReadOnlySpan<byte> content)
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
                $"The record '{name}' of a collection has format {version}; this version reads {Version}.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        var sessions = new HashSet<SessionId>();
        for (ReadOnlySpan<byte> rest = content[sizeof(uint)..]; !rest.IsEmpty; rest = rest[RecordLength..])
        {
            sessions.Add(SessionId.TryRead(rest[..RecordLength], out SessionId session) ? session : throw VaultDamage.Corrupt(name, "it names what is no session"));
        }

        return sessions;
    }
}
