using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// What maintenance begins with: packs that are on record as damaged are mended where the vault itself has everything that they held. Where anything would be lost with a
/// pack, that stays as it is: perhaps it is the machine that is broken, or a sound copy of the vault is at hand. That is for who calls a repair to decide.
/// </summary>
internal static class RecordedRepair
{
    /// <summary>Mends.</summary>
    /// <param name="open">Gives the store anew: nothing of it read.</param>
    /// <param name="options">Clock and workers.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many packs were mended.</returns>
    /// <exception cref="BackupException">VaultAccessDenied where this identity may not delete; VaultDataCorrupt where a record of maintenance is damaged; …</exception>
    public static async Task<int> RunAsync(
        Func<ChunkStore> open, VaultOptions options, JobMonitor monitor, Action<VaultUse> allow, CancellationToken cancellationToken)
    {
        ChunkStore store = open();
        if ((await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false)).Of(ProofKind.Damage).Count == 0)
        {
            return 0;
        }

        await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        if (!(await RecordedDamage.ReadAsync(store, cancellationToken).ConfigureAwait(false)).IsAny)
        {
            return 0;
        }

        try
        {
            await DeletionRight.RequireAsync(store, SessionId.Create(options.TimeProvider.GetUtcNow(), highest: null), cancellationToken).ConfigureAwait(false);
            var request = new RepairRequest { RecordedOnly = true, OnlyWhole = true };
            RepairReport done = await new VaultRepair(open, options, request, monitor, new ParityRescue(open()), allow).RunAsync(cancellationToken).ConfigureAwait(false);
            return done.Packs.Count(pack => pack.Lost == 0);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultFull or BackupErrorId.SessionFenced)
        {
            // The rest of maintenance makes room; and who was faster is at it.
            monitor.Note($"What is on record as damaged was not mended: {e.Message}");
            return 0;
        }
    }
}
