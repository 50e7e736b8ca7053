using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Recovery;

/// <summary>A recovery whose only purpose is to see that it works: into a folder of its own, compared file by file, and removed again.</summary>
internal static class TrialRestore
{
    /// <summary>Tries it.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="point">The recovery point.</param>
    /// <param name="paths">What of it; empty for everything.</param>
    /// <param name="parent">Where the folder is made.</param>
    /// <param name="problems">Gets what could not be recovered.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RestoreTargetInvalid, RestoreTargetUnwritable, RestoreTargetFull, …</exception>
    public static async Task<RestoreResult> RunAsync(
        IndexedVault vault,
        RecoveryPoint point,
        IReadOnlyList<string> paths,
        string parent,
        List<OBRecoveryPointProblem> problems,
        CancellationToken cancellationToken)
    {
        string folder = Path.Combine(parent, $"trial-{point.SessionId.ToShortString()}");
        if (Path.Exists(folder))
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetInvalid,
                $"The folder for the trial restore, '{folder}', already exists.",
                "If an earlier trial left it, remove it. Otherwise name another folder.",
                folder);
        }

        bool wasThere = Directory.Exists(parent);
        var monitor = new JobMonitor
        {
            ItemSkipped = item =>
            {
                lock (problems)
                {
                    problems.Add(new OBRecoveryPointProblem { Object = item.Path, Problem = item.Reason, AffectedPaths = [item.Path] });
                }
            },
        };
        var request = new RestoreRequest
        {
            Point = point,
            Paths = paths,
            TargetFolder = folder,
            SkipSecurity = true,

            // What this system cannot name is tried all the same.
            MapNames = OperatingSystem.IsWindows(),
            Verify = true,
            Synchronize = false,
        };
        try
        {
            return await vault.RestoreAsync(request, monitor, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            RestoredFolder.Remove(folder);

            if (!wasThere && Directory.Exists(parent))
            {
                Directory.Delete(parent);
            }
        }
    }
}
