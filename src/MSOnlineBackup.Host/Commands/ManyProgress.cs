using System.Collections.Concurrent;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Host.Commands;

/// <summary>How far several machines are, together.</summary>
internal sealed class ManyProgress : IProgress<RemoteBackupProgress>
{
    private readonly ConcurrentDictionary<string, JobProgress> _latest = new();

    public void Report(RemoteBackupProgress value) => _latest[value.Machine.Alias] = value.Progress;

    /// <summary>All that were heard of. What there is in all is known when each of them knows.</summary>
    public JobProgress Sum()
    {
        JobProgress[] all = [.. _latest.Values];
        return new JobProgress(
            all.Length == 0 ? JobPhase.Initializing : all.Min(one => one.Phase),
            all.Sum(one => one.Items),
            all.Sum(one => one.Files),
            all.Sum(one => one.Bytes),
            all.Sum(one => one.ReadBytes),
            all.Sum(one => one.NewBytes),
            all.Sum(one => one.StoredBytes),
            all.Sum(one => one.Skipped),
            all.Length > 0 && all.All(one => one.TotalFiles is not null) ? all.Sum(one => one.TotalFiles) : null,
            all.Length > 0 && all.All(one => one.TotalBytes is not null) ? all.Sum(one => one.TotalBytes) : null,
            null);
    }
}
