using MSOnlineBackup.Engine.Scripts;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>The snapshots of a backup, taken between the scripts that bring programs into order for them and let them go on.</summary>
internal static class ScriptedSnapshots
{
    /// <summary>Takes them.</summary>
    /// <returns>The set, how each of the sources is read, and whether a script failed.</returns>
    /// <exception cref="BackupException">SnapshotUnavailable, or what a script failed with where there is to be no backup then.</exception>
    public static async Task<(SnapshotSet Set, IReadOnlyList<SnapshotSource> Sources, bool HaveScriptsFailed)> TakeAsync(
        BackupRequest request,
        SnapshotOptions options,
        IReadOnlyList<(string Path, SourceSelection Selection)> sources,
        IReadOnlyList<MountedVolume> mounts,
        JobMonitor monitor,
        TimeProvider clock,
        CancellationToken stop)
    {
        SnapshotKit kit = request.SnapshotKit ?? SnapshotKit.ForThisSystem(mounts);
        if (request.ScriptFile is not { } file || sources.Count == 0)
        {
            (SnapshotSet plain, IReadOnlyList<SnapshotSource> read) =
                await SnapshotSet.TakeAsync(kit, options, sources, monitor.Note, stop).ConfigureAwait(false);
            return (plain, read, false);
        }

        using SnapshotScripts scripts = await SnapshotScripts.BeginAsync(file, request.FileTrust ?? IFileTrust.OfThisSystem, clock, stop).ConfigureAwait(false);
        SnapshotSet set;
        IReadOnlyList<SnapshotSource> views;
        try
        {
            (set, views) = await SnapshotSet
                .TakeAsync(kit, options with { HoldsFileSystemsStill = scripts.FreezesFileSystems }, sources, monitor.Note, stop).ConfigureAwait(false);
        }
        finally
        {
            await scripts.EndAsync().ConfigureAwait(false);
            foreach (BackupException failure in scripts.Failures)
            {
                monitor.Warn(failure);
            }
        }

        try
        {
            scripts.ThrowIfBinding();
        }
        catch
        {
            await set.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return (set, [.. views.Select(Judge)], scripts.Failures.Count > 0);

        SnapshotSource Judge(SnapshotSource source) =>
            source.Consistency is { } consistency ? source with { Consistency = scripts.Judge(consistency) } : source;
    }
}
