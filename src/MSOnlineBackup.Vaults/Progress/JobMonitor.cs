using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Telemetry;

namespace MSOnlineBackup.Vaults.Progress;

/// <summary>What a job is doing.</summary>
public enum JobPhase
{
    /// <summary>Opening the vault.</summary>
    Initializing,

    /// <summary>Planning a restore.</summary>
    Planning,

    /// <summary>Reading and sending, or fetching and writing.</summary>
    Transferring,

    /// <summary>Flushing packs, index and recovery point.</summary>
    Committing,

    /// <summary>Verifying.</summary>
    Verifying,

    /// <summary>Done.</summary>
    Finished,
}

/// <summary>A consistent reading of a job's counters.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="Items">Entries done.</param>
/// <param name="Files">Files done.</param>
/// <param name="Bytes">Bytes of content done: read, or known unchanged; for a restore written; for a verification read.</param>
/// <param name="ReadBytes">Bytes actually read from the source.</param>
/// <param name="NewBytes">Bytes that were new, before compression.</param>
/// <param name="StoredBytes">Bytes sent to the vault.</param>
/// <param name="Skipped">Items skipped so far.</param>
/// <param name="TotalFiles">Files there are in all; null until known. For a backup it is an estimate: what earlier points had, or a walk ahead found.</param>
/// <param name="TotalBytes">Bytes there are in all; null until known.</param>
/// <param name="CurrentItem">What is being worked on.</param>
/// <param name="Wait">What it waits for; null while it gets on.</param>
public readonly record struct JobProgress(
    JobPhase Phase,
    long Items,
    long Files,
    long Bytes,
    long ReadBytes,
    long NewBytes,
    long StoredBytes,
    long Skipped,
    long? TotalFiles,
    long? TotalBytes,
    string? CurrentItem,
    JobWait? Wait = null);

/// <summary>What a job waits for: the vault is away or throttles.</summary>
/// <param name="Cause">What is wrong.</param>
/// <param name="Until">When it is tried again (UTC); where that has passed, it is being tried.</param>
public sealed record JobWait(string Cause, DateTimeOffset Until);

/// <summary>How far a backup is with one source, or how it went.</summary>
/// <param name="Bytes">Bytes of content done: read, or known unchanged.</param>
/// <param name="ReadBytes">Bytes actually read.</param>
/// <param name="TotalBytes">Bytes there are in all; null until known. While it runs it is an estimate, from the previous point or a walk ahead.</param>
/// <param name="Files">Files done.</param>
/// <param name="ChangedFiles">Files that were new or changed.</param>
/// <param name="TotalFiles">Files there are in all, likewise.</param>
/// <param name="Skipped">Items skipped in it, itself being one if it was left out.</param>
/// <param name="HasEnded">Whether nothing more will be counted.</param>
/// <param name="Failure">Why it was left out; null where it was not.</param>
/// <param name="Consistency">How far what was read of it is of one moment; null until it has ended, and where nothing says.</param>
public sealed record SourceProgress(
    long Bytes,
    long ReadBytes,
    long? TotalBytes,
    long Files,
    long ChangedFiles,
    long? TotalFiles,
    long Skipped,
    bool HasEnded,
    BackupException? Failure,
    SourceConsistency? Consistency = null);

/// <summary>
/// The counters of one running job. The engine adds; the front reads <see cref="Snapshot"/> when it wants to draw, and
/// is told of skipped items as they happen. The engine never prints.
/// </summary>
public sealed class JobMonitor
{
    private long _items;
    private long _files;
    private long _bytes;
    private long _readBytes;
    private long _skipped;
    private long _totalFiles = -1;
    private long _totalBytes = -1;
    private long _changedFiles;
    private int _phase;
    private SourceStart? _source;
    private readonly Lock _sourcesGate = new();
    private readonly List<SourceProgress> _endedSources = [];
    private readonly Dictionary<int, (long Files, long Bytes)> _expected = [];
    private volatile bool _hasWarnings;
    private volatile Func<string>? _currentItem;
    private volatile IVaultStore? _vault;

    /// <summary>Whether somebody wants to know how much there is to do: sources that no earlier point knows are walked ahead then, beside the backup.</summary>
    public bool WantsTotals { get; init; }

    /// <summary>Which skipped items are what was asked for, and so no reason for a warning; none by default.</summary>
    public Func<SkippedItem, bool> IsExpected { get; init; } = static _ => false;

    /// <summary>Whether an item was skipped that was not expected to be, or something else fell short of what was asked for.</summary>
    public bool HasWarnings => _hasWarnings;

    /// <summary>Called for every skipped item, again for further metadata of it that could not be set; from any thread; must return quickly.</summary>
    public Action<SkippedItem>? ItemSkipped { get; init; }

    /// <summary>Called for damage to the vault that the job met and worked around; what it means for earlier points, a verification tells.</summary>
    public Action<BackupException>? VaultDamaged { get; init; }

    /// <summary>Called for what somebody should see to, though the job goes on; from any thread; must return quickly.</summary>
    public Action<BackupException>? Warned { get; init; }

    /// <summary>Called for what somebody may want to know and need not see to; from any thread; must return quickly.</summary>
    public Action<string>? Noted { get; init; }

    /// <summary>Called for each phase that begins; from any thread; must return quickly.</summary>
    public Action<JobPhase>? PhaseEntered { get; init; }

    /// <summary>Called before calls on the vault wait for another try; from any thread; must return quickly.</summary>
    public Action<VaultWait>? Waited { get; init; }

    /// <summary>Reads the counters.</summary>
    public JobProgress Snapshot()
    {
        long totalFiles = Interlocked.Read(ref _totalFiles);
        long totalBytes = Interlocked.Read(ref _totalBytes);
        return new JobProgress(
            (JobPhase)Volatile.Read(ref _phase),
            Interlocked.Read(ref _items),
            Interlocked.Read(ref _files),
            Interlocked.Read(ref _bytes),
            Interlocked.Read(ref _readBytes),
            Transfer.NewBytes,
            Transfer.StoredBytes,
            Interlocked.Read(ref _skipped),
            totalFiles < 0 ? null : totalFiles,
            totalBytes < 0 ? null : totalBytes,
            _currentItem?.Invoke(),
            _vault?.Wait is { } wait ? new JobWait(wait.Cause.Message, wait.Until) : null);
    }

    /// <summary>The sources of a backup that were begun, in the order of its request.</summary>
    public IReadOnlyList<SourceProgress> ReadSources()
    {
        lock (_sourcesGate)
        {
            return _source is { } source ? [.. _endedSources, Since(source)] : [.. _endedSources];
        }
    }

    /// <summary>What the job's session counts.</summary>
    internal TransferCounters Transfer { get; } = new();

    /// <summary>What the job waits for is what calls on this vault wait for.</summary>
    internal void Watch(IVaultStore vault) => _vault = vault;

    internal void Enter(JobPhase phase)
    {
        Volatile.Write(ref _phase, (int)phase);
        PhaseEntered?.Invoke(phase);
        TracedOperation.Enter(phase.ToString());
    }

    internal void Expect(long files, long bytes)
    {
        Interlocked.Exchange(ref _totalFiles, files);
        Interlocked.Exchange(ref _totalBytes, bytes);
    }

    /// <summary>What is counted from now on is the next source's.</summary>
    internal void BeginSource()
    {
        lock (_sourcesGate)
        {
            _source = new SourceStart(
                Interlocked.Read(ref _bytes),
                Interlocked.Read(ref _readBytes),
                Interlocked.Read(ref _files),
                Interlocked.Read(ref _changedFiles),
                Interlocked.Read(ref _skipped));
        }
    }

    /// <summary>What a source, by its place in the request, is expected to hold.</summary>
    internal void ExpectOfSource(int source, long files, long bytes)
    {
        lock (_sourcesGate)
        {
            _expected[source] = (files, bytes);
        }
    }

    /// <summary>Nothing more is counted for the source.</summary>
    internal void EndSource(BackupException? failure, SourceConsistency? consistency = null)
    {
        lock (_sourcesGate)
        {
            SourceProgress ended = Since(_source!);
            _endedSources.Add(ended with
            {
                HasEnded = true,
                Failure = failure,
                Consistency = consistency,
                TotalBytes = failure is null ? ended.Bytes : ended.TotalBytes,
                TotalFiles = failure is null ? ended.Files : ended.TotalFiles,
            });
            _source = null;
        }
    }

    internal void AddChangedFile() => Interlocked.Increment(ref _changedFiles);

    /// <summary>The text is only built when somebody looks.</summary>
    internal void WorkOn(Func<string> item) => _currentItem = item;

    internal void AddItem(bool isFile)
    {
        Interlocked.Increment(ref _items);
        EngineTelemetry.Items.Add(1);
        if (isFile)
        {
            Interlocked.Increment(ref _files);
            EngineTelemetry.Files.Add(1);
        }
    }

    internal void AddBytes(long count)
    {
        Interlocked.Add(ref _bytes, count);
        EngineTelemetry.Processed.Add(count);
    }

    internal void AddReadBytes(long count)
    {
        Interlocked.Add(ref _readBytes, count);
        EngineTelemetry.Read.Add(count);
    }

    internal void ReportDamage(IEnumerable<BackupException> damage)
    {
        foreach (BackupException one in damage)
        {
            VaultDamaged?.Invoke(one);
            EngineEventSource.Log.VaultDamaged(one.Id.ToString(), one.Target ?? "", one.Message);
        }
    }

    internal void Note(string text) => Noted?.Invoke(text);

    internal void Warn(BackupException warning)
    {
        _hasWarnings = true;
        Warned?.Invoke(warning);
    }

    internal void Skip(SkippedItem item)
    {
        Interlocked.Increment(ref _skipped);
        _hasWarnings |= !IsExpected(item);
        if (EngineTelemetry.Skipped.Enabled)
        {
            EngineTelemetry.Skipped.Add(1, new KeyValuePair<string, object?>("error.type", item.Id.ToString()));
        }

        if (EngineEventSource.Log.IsEnabled())
        {
            EngineEventSource.Log.ItemSkipped(item.Id.ToString(), item.Path, item.Reason);
        }

        Mention(item);
    }

    /// <summary>Tells of a further trouble with an item that is counted already.</summary>
    internal void Mention(SkippedItem item) => ItemSkipped?.Invoke(item);

    private SourceProgress Since(SourceStart start)
    {
        (long Files, long Bytes)? expected = _expected.TryGetValue(_endedSources.Count, out (long Files, long Bytes) known) ? known : null;
        return new SourceProgress(
            Interlocked.Read(ref _bytes) - start.Bytes,
            Interlocked.Read(ref _readBytes) - start.ReadBytes,
            expected?.Bytes,
            Interlocked.Read(ref _files) - start.Files,
            Interlocked.Read(ref _changedFiles) - start.ChangedFiles,
            expected?.Files,
            Interlocked.Read(ref _skipped) - start.Skipped,
            HasEnded: false,
            Failure: null);
    }

    /// <summary>What the counters were when a source began.</summary>
    private sealed record SourceStart(long Bytes, long ReadBytes, long Files, long ChangedFiles, long Skipped);
}
