using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Points that were copied from a twin: their commits say so. What they went on from may never have been here.</summary>
internal static class CopiedPoints
{
    /// <summary>What stands in the commit of such a point.</summary>
    public static ReadOnlySpan<byte> Commit => "{\"copied\":true}"u8;

    /// <summary>Whether a point was copied. False where its commit cannot be read.</summary>
    public static async ValueTask<bool> HasAsync(ChunkStore store, MachineId machineId, SessionId session, CancellationToken cancellationToken)
    {
        byte[] content = new byte[Commit.Length + 1];
        try
        {
            int read = await store.Objects.ReadAsync(VaultLayout.Commit(store.StoreId, machineId, session), 0, content, cancellationToken).ConfigureAwait(false);
            return content.AsSpan(0, read).SequenceEqual(Commit);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return false;
        }
    }
}
