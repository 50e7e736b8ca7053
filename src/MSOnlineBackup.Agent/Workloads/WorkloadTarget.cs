using System.Security.Cryptography;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>Recovers a workload into a folder: all of it, or the folder is as it was.</summary>
public static class WorkloadTarget
{
    /// <summary>Refuses a folder that something is in.</summary>
    /// <exception cref="BackupException">RestoreTargetInvalid, RestoreTargetUnwritable, WorkloadTargetNotEmpty.</exception>
    public static void Require(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string target = Path.GetFullPath(folder);
        if (Path.GetDirectoryName(target) is null || File.Exists(target))
        {
            throw new BackupException(BackupErrorId.RestoreTargetInvalid, $"'{target}' cannot become a data directory.", "Name a folder that does not exist yet.", target);
        }

        try
        {
            if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            {
                throw new BackupException(
                    BackupErrorId.WorkloadTargetNotEmpty,
                    $"The folder '{target}' is not empty, and a workload is recovered beside what there is, never over it.",
                    "Name a folder that does not exist yet, or an empty one.",
                    target);
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BackupException(BackupErrorId.RestoreTargetUnwritable, $"'{target}' cannot be looked into: {e.Message}", "Name a folder of this account's.", target, innerException: e);
        }
    }

    /// <summary>Recovers.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="machineName">Whose workload.</param>
    /// <param name="name">Its name.</param>
    /// <param name="moment">To which moment; null for the latest.</param>
    /// <param name="folder">The folder to make; it does not exist, or is empty.</param>
    /// <param name="monitor">Gets the counters, and what is skipped.</param>
    /// <param name="chosen">Told of the way that is taken, before anything is fetched.</param>
    /// <param name="stop">Stops it: the folder is as it was.</param>
    /// <returns>The way that was taken.</returns>
    /// <exception cref="BackupException">WorkloadNotFound, WorkloadTimeOutside, WorkloadTargetNotEmpty, WorkloadIncomplete, NotAvailable; what a restore throws.</exception>
    public static async Task<WorkloadChain> RecoverAsync(
        UnlockedVault vault,
        string machineName,
        string name,
        DateTimeOffset? moment,
        string folder,
        JobMonitor monitor,
        Action<WorkloadChain> chosen,
        CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(monitor);
        ArgumentNullException.ThrowIfNull(chosen);
        WorkloadKinds.RequireSupport();
        Require(folder);
        string target = Path.GetFullPath(folder);
        RecoveryPointList points = await vault.ListPointsAsync(machineName, stop).ConfigureAwait(false);
        WorkloadChain chain = WorkloadState.Choose(WorkloadState.Find(points), name, moment);
        chosen(chain);
        IndexedVault index = await vault.IndexAsync(stop, monitor).ConfigureAwait(false);
        string staging = MakeStaging(target);
        try
        {
            var items = new Items(index, points.ToDictionary(point => point.SessionId), monitor);
            await WorkloadKinds.Recovery(chain.Full.Point.Kind, TimeProvider.System).RestoreAsync(chain, moment, staging, target, items, stop).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(staging, recursive: true);
        }

        return chain;
    }

    /// <summary>Brings a folder that is complete to its place, by one renaming.</summary>
    /// <param name="made">The folder, on the same disk.</param>
    /// <param name="target">The place; nothing is there, or an empty folder.</param>
    /// <exception cref="BackupException">RestoreTargetUnwritable.</exception>
    internal static void MoveToPlace(string made, string target)
    {
        try
        {
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(made, target);
            Durability.FlushFolder(Path.GetDirectoryName(target)!);
        }
        catch (IOException e)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetUnwritable,
                $"What was recovered could not be moved to '{target}': {e.Message}",
                "Name a folder that does not exist yet, in one on the same disk; the root of a disk that is mounted there cannot become a data directory.",
                target,
                innerException: e);
        }
    }

    // Beside the target: from there one renaming brings it to its place.
    private static string MakeStaging(string target)
    {
        string parent = Path.GetDirectoryName(target)!;
        string staging = Path.Combine(parent, $".{Path.GetFileName(target)}.obengine-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        try
        {
            PrivateFolder.Make(staging);
            return staging;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetUnwritable, $"A workload is recovered in '{parent}' first, which cannot be written to: {e.Message}", "Name a folder below one that this account may write to.", parent, innerException: e);
        }
    }

    private sealed class Items(IndexedVault vault, IReadOnlyDictionary<SessionId, RecoveryPoint> points, JobMonitor monitor) : IWorkloadItems
    {
        public Task<RecoveryPoint> ReadAsync(SessionId point, CancellationToken stop) => Task.FromResult(points[point]);

        public async Task RestoreAsync(RecoveryPoint point, IReadOnlyList<string> paths, string folder, CancellationToken stop)
        {
            RestoreResult result = await vault.RestoreAsync(
                new RestoreRequest
                {
                    Point = point,
                    Paths = paths,
                    TargetFolder = folder,
                    Layout = RestoreLayout.ItemName,

                    // Who is not root gives nothing away: the files are then whose the server is to be.
                    SkipSecurity = !Environment.IsPrivilegedProcess,
                },
                monitor,
                stop).ConfigureAwait(false);
            if (result.Skipped > 0 || result.Layout != RestoreLayout.ItemName)
            {
                throw new BackupException(
                    BackupErrorId.WorkloadIncomplete,
                    $"Of the recovery point {point.SessionId.ToShortString()} {result.Skipped} items could not be restored, and a workload is recovered whole or not at all. The target is as it was.",
                    "Get-OBSkippedItem says which, and why; 'obengine verify' what is damaged in the vault. Another time may be recoverable, from another full backup.",
                    folder);
            }
        }
    }
}
