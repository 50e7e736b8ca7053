using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>The sessions that a collection waits for, as they are stored: <c>version u32 | session 16 *</c>.</summary>
internal static class AwaitedSessions
{
    private const int RecordLength = 16;

    /// <summary>Writes sessions.</summary>
    public static byte[] Encode(IReadOnlyCollection<SessionId> sessions) =>
        RecordList.Encode(RecordLength, sessions, (record, session) => session.ToBytes().CopyTo(record));

    /// <summary>Reads them.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static IReadOnlySet<SessionId> Decode(string name, ReadOnlySpan<byte> content)
    {
        var sessions = new HashSet<SessionId>();
        for (ReadOnlySpan<byte> rest = RecordList.Decode(name, content, RecordLength); !rest.IsEmpty; rest = rest[RecordLength..])
        {
            sessions.Add(
                SessionId.TryRead(rest[..RecordLength], out SessionId session) ? session : throw VaultDamage.Corrupt(name, "it names what is no session"));
        }

        return sessions;
    }
}
