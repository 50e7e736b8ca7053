using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Engine.Backup;

/// <summary>What all sources of one job share: where it writes to, what it counts, what it skipped.</summary>
internal sealed class BackupScope(ChunkStore store, WriteSession session, SpotCheck check, BackupRequest request, VaultOptions options, JobMonitor monitor)
{
    // A file that changed less than this long before it was read may change again without a change of its times.
    private static readonly TimeSpan _racyFor = TimeSpan.FromSeconds(2);

    private readonly List<SkippedItem> _skipped = [];
    private readonly SkippedItemsWriter _skippedWriter = new(session.Chunks);
    private long _lastCheckpointTime = options.TimeProvider.GetTimestamp();
    private long _lastCheckpointBytes;

    public ChunkStore Store => store;

    public WriteSession Session => session;

    /// <summary>Told of what is taken over unread.</summary>
    public SpotCheck Check => check;

    public BackupRequest Request => request;

    public JobMonitor Monitor => monitor;

    /// <summary>Files with several names: their content is read once.</summary>
    public HardLinks<Task<EntryContent>> Links { get; private set; } = new();

    public long UnchangedFiles { get; private set; }

    public long NewFiles { get; private set; }

    public long ChangedFiles { get; private set; }

    public long SkippedCount { get; private set; }

    /// <summary>What changed after this moment is racy.</summary>
    public ItemTime RacySince() => ItemTime.From(options.TimeProvider.GetUtcNow() - _racyFor);

    /// <summary>
    /// Whether enough is done since the last checkpoint to be worth one: time, or bytes, of which a growing job wants more, so that
    /// checkpoints stay few.
    /// </summary>
    public bool IsCheckpointDue()
    {
        long stored = session.StoredBytes;
        bool due = stored - _lastCheckpointBytes >= Math.Max(request.CheckpointBytes, stored / 8)
            || (stored > _lastCheckpointBytes && options.TimeProvider.GetElapsedTime(_lastCheckpointTime) >= request.CheckpointInterval);
        if (due)
        {
            _lastCheckpointBytes = stored;
            _lastCheckpointTime = options.TimeProvider.GetTimestamp();
        }

        return due;
    }

    /// <summary>From now on what was read before is read again.</summary>
    public void ForgetLinks() => Links = new HardLinks<Task<EntryContent>>();

    public void CountUnchanged(ManifestEntry entry)
    {
        monitor.AddItem(entry.Kind == EntryKind.File);
        monitor.AddBytes(entry.Size);
        if (entry.Kind == EntryKind.File)
        {
            UnchangedFiles++;
        }
    }

    public void CountRead(bool isNew)
    {
        monitor.AddChangedFile();
        if (isNew)
        {
            NewFiles++;
        }
        else
        {
            ChangedFiles++;
        }
    }

    public void Skip(string path, BackupException reason)
    {
        if (request.IsLive)
        {
            if (reason.Id == BackupErrorId.SourceItemVanished)
            {
                // The program has deleted it, and its log knows.
                return;
            }

            throw LiveFailure(path, reason);
        }

        if (request.IsWhole)
        {
            throw new BackupException(
                BackupErrorId.SourceUnreadable, $"'{path}' could not be read, and there is no recovery point without it: {reason.Message}", reason.RecommendedAction, path, innerException: reason);
        }

        var item = new SkippedItem(path, reason.Id, reason.Message);
        SkippedCount++;
        _skipped.Add(item);
        monitor.Skip(item);
    }

    /// <summary>What a backup of sources that a program writes to fails with.</summary>
    internal static BackupException LiveFailure(string path, BackupException reason) => new(
        BackupErrorId.WorkloadFileUnreadable,
        $"'{path}' could not be read, and a backup without it could not be recovered: {reason.Message}",
        reason.RecommendedAction,
        path,
        innerException: reason);

    /// <summary>Writes the list of what was skipped to the vault, once it has so many items that are not written yet.</summary>
    public async ValueTask WriteSkippedAsync(int atLeast)
    {
        if (_skipped.Count >= atLeast)
        {
            foreach (SkippedItem item in _skipped)
            {
                await _skippedWriter.AddAsync(
                    item with { Path = SourcePath.ToStored(PathText.Local, item.Path) }, CancellationToken.None).ConfigureAwait(false);
            }

            _skipped.Clear();
        }
    }

    /// <summary>The chunks that list everything skipped.</summary>
    public async ValueTask<IReadOnlyList<ChunkId>> CompleteSkippedAsync()
    {
        await WriteSkippedAsync(atLeast: 0).ConfigureAwait(false);
        return await _skippedWriter.ToChunksAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
