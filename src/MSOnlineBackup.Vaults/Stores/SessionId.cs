using System.Buffers.Binary;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// Ids of sessions: 32 hexadecimal digits, whose order is that of commits, whatever any clock says. A new one is higher than all that its store
/// holds: a Lamport clock in the form of a UUID of version 7, in whose 48 bits of time a clock has the lower part of the range only.
/// </summary>
internal static class SessionId
{
    private const int Length = 16;

    // The millisecond after the year 9999: no clock says more.
    private const long ClockEnd = 0xe677_d21f_dc00;

    // What begins with an f is no id. Between the two is room for 10^13 sessions after one of the year 9999.
    private const long End = 0xf000_0000_0000;
    private const char FirstOfNone = 'f';

    /// <summary>Whether a text is the id of a session.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) => VaultLayout.IsId(text) && text[0] != FirstOfNone;

    /// <summary>Makes an id that is higher than another.</summary>
    /// <param name="now">What the clock says; any time.</param>
    /// <param name="highest">An id that is valid; null where there is none.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where no id is higher: somebody with the key has seen to that.</exception>
    public static string Create(DateTimeOffset now, string? highest)
    {
        long time = Math.Clamp(now.ToUnixTimeMilliseconds(), 0, ClockEnd - 1);
        if (highest is not null)
        {
            time = Math.Max(time, TimeOf(highest) + 1);
        }

        if (time >= End)
        {
            throw VaultDamage.Corrupt(highest!, "no session can come after it, and no backup made it");
        }

        Span<byte> id = stackalloc byte[Length];
        RandomNumberGenerator.Fill(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)(time >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(id[4..], (ushort)(time & 0xffff));
        return Convert.ToHexStringLower(id);
    }

    /// <summary>
    /// The highest id of the sessions, points and checkpoints of a store; null where it has none. Beyond the reach of clocks only what opens counts: anybody who may write can
    /// make a name, and nothing could come after it.
    /// </summary>
    public static async Task<string?> FindHighestAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        Task<List<StoredObject>> sessions = ListAsync(store, VaultLayout.Sessions(store.StoreId), cancellationToken);
        Task<List<StoredObject>> points = ListAsync(store, VaultLayout.Points(store.StoreId), cancellationToken);
        Task<List<StoredObject>> checkpoints = ListAsync(store, VaultLayout.Checkpoints(store.StoreId), cancellationToken);
        await Task.WhenAll(sessions, points, checkpoints).ConfigureAwait(false);
        string? highest = (await sessions.ConfigureAwait(false)).Select(OfName).Where(id => id is not null && TimeOf(id) < ClockEnd).Max(StringComparer.Ordinal);
        foreach (StoredObject found in (await points.ConfigureAwait(false)).Concat(await checkpoints.ConfigureAwait(false)))
        {
            if (OfName(found) is { } id
                && string.CompareOrdinal(id, highest) > 0
                && await CountsAsync(store, found, id, cancellationToken).ConfigureAwait(false))
            {
                highest = id;
            }
        }

        return highest;
    }

    /// <summary>Whether the id of a point or checkpoint says something about order.</summary>
    public static async ValueTask<bool> CountsAsync(ChunkStore store, StoredObject found, string id, CancellationToken cancellationToken) =>
        TimeOf(id) < ClockEnd || await store.OpensAsync(found, cancellationToken).ConfigureAwait(false);

    private static async Task<List<StoredObject>> ListAsync(ChunkStore store, string prefix, CancellationToken cancellationToken) =>
        await store.Early.ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);

    // Session records and their ends, points, checkpoints: the last part of each name begins with the session's id.
    private static string? OfName(StoredObject found)
    {
        ReadOnlySpan<char> last = found.Name.AsSpan(found.Name.LastIndexOf('/') + 1);
        return last.Length >= 2 * Length && IsValid(last[..(2 * Length)]) ? last[..(2 * Length)].ToString() : null;
    }

    private static long TimeOf(string id) => Convert.ToInt64(id[..12], 16);
}
