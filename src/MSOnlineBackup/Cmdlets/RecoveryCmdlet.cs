using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that look into recovery points.</summary>
public abstract class RecoveryCmdlet : OBEngineCmdlet
{
    private readonly Dictionary<(string, VaultAccess?), RecoveryArchive> _archives = [];

    /// <summary>Who waits for the vault: somebody at the keyboard, unless the cmdlet's work is a job's.</summary>
    private protected virtual VaultPatience Patience => VaultPatience.Person;

    /// <summary>The recovery points of a machine; opened once, however many inputs need them.</summary>
    /// <param name="machineName">The machine; empty for this one.</param>
    /// <param name="access">The way into its vault; null for this machine's own.</param>
    /// <param name="cancellationToken">Stops it.</param>
    private protected async Task<RecoveryArchive> OpenAsync(string machineName, VaultAccess? access, CancellationToken cancellationToken)
    {
        if (!_archives.TryGetValue((machineName, access), out RecoveryArchive? archive))
        {
            archive = await RecoveryArchive.OpenAsync(Agent, machineName, access, Patience, Note, cancellationToken).ConfigureAwait(false);
            _archives[(machineName, access)] = archive;
        }

        return archive;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (RecoveryArchive archive in _archives.Values)
            {
                archive.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    /// <summary>The points of an archive, newest first; of each that is there and cannot be read a warning says so.</summary>
    private protected static async Task<RecoveryPointList> ListAsync(CmdletPump pump, RecoveryArchive archive, CancellationToken cancellationToken)
    {
        RecoveryPointList points = await archive.ListAsync(cancellationToken).ConfigureAwait(false);
        Warn(pump, points.Damaged);
        return points;
    }

    /// <summary>Says of points that they are there and cannot be read.</summary>
    private protected static void Warn(CmdletPump pump, IReadOnlyList<DamagedPoint> points)
    {
        foreach (DamagedPoint damaged in points)
        {
            BackupException error = damaged.ToError();
            pump.WriteWarning($"{error.Message} (recovery point {damaged.SessionId}, {error.Id}) {error.RecommendedAction}");
        }
    }

    /// <summary>Says what of a vault cannot be read, each thing once.</summary>
    private protected static void Warn(CmdletPump pump, HashSet<string> told, BackupException damage)
    {
        if (told.Add(damage.Target ?? damage.Message))
        {
            pump.WriteWarning($"{damage.Message} ({damage.Id}) {damage.RecommendedAction}");
        }
    }
}
