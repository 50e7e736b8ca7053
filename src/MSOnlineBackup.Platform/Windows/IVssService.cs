namespace MSOnlineBackup.Platform.Windows;

/// <summary>The Volume Shadow Copy Service of Windows, as far as a program that asks for shadow copies (a requester) needs it.</summary>
internal interface IVssService
{
    /// <summary>Why this process cannot ask it, in a sentence; null where it can.</summary>
    string? FindObstacle();

    /// <summary>Begins to ask.</summary>
    /// <param name="requester">Whoever asks, for one set of shadow copies; null where that failed.</param>
    /// <returns>An HRESULT.</returns>
    int Begin(out IVssRequester? requester);
}

/// <summary>
/// One set of shadow copies that is asked for: IVssBackupComponents. Each method is one call, and returns its HRESULT. Disposing releases it, and with it
/// Windows removes the shadow copies that were made in the context of a backup.
/// </summary>
internal interface IVssRequester : IDisposable
{
    /// <summary>Begins a backup.</summary>
    int InitializeForBackup();

    /// <summary>Says what the shadow copies are for: 0, VSS_CTX_BACKUP, with writers and gone with this object.</summary>
    int SetContext(int context);

    /// <summary>Says what kind of backup it is, without a choice of components.</summary>
    /// <param name="type">A VSS_BACKUP_TYPE: 5, VSS_BT_COPY, changes no history of backups that an application keeps.</param>
    int SetBackupState(int type);

    /// <summary>Begins what takes time.</summary>
    /// <param name="step">Which.</param>
    /// <param name="operation">How it goes on; null where it did not begin.</param>
    int Begin(VssStep step, out IVssOperation? operation);

    /// <summary>Lets go of what the writers told of themselves.</summary>
    int FreeWriterMetadata();

    /// <summary>Begins a set.</summary>
    int StartSnapshotSet(out Guid set);

    /// <summary>Whether there are shadow copies of a volume.</summary>
    /// <param name="volume">As <c>\\?\Volume{…}\</c>.</param>
    /// <param name="isSupported">Whether any provider makes them.</param>
    int IsVolumeSupported(string volume, out bool isSupported);

    /// <summary>Adds a volume to the set.</summary>
    /// <param name="volume">As <c>\\?\Volume{…}\</c>.</param>
    /// <param name="snapshot">What its shadow copy is known by.</param>
    int AddToSnapshotSet(string volume, out Guid snapshot);

    /// <summary>What became of the writers, after <see cref="VssStep.GatherWriterStatus"/>.</summary>
    int ReadWriters(out IReadOnlyList<VssWriter> writers);

    /// <summary>The device of a shadow copy, as <c>\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7</c>.</summary>
    int ReadDevice(Guid snapshot, out string device);

    /// <summary>Removes the shadow copies of a set.</summary>
    int DeleteSnapshots(Guid set);

    /// <summary>Tells the writers that there will be no backup, and ends a set that is in progress.</summary>
    int AbortBackup();
}

/// <summary>What the service does while its caller waits: IVssAsync.</summary>
internal interface IVssOperation : IDisposable
{
    /// <summary>How it stands.</summary>
    /// <param name="state">An HRESULT: <see cref="VssResult.Pending"/>, <see cref="VssResult.Finished"/>, <see cref="VssResult.Cancelled"/>, or what it failed with.</param>
    int QueryStatus(out int state);

    /// <summary>Asks that it end.</summary>
    int Cancel();
}

/// <summary>What takes time.</summary>
internal enum VssStep
{
    /// <summary>The writers tell what they are.</summary>
    GatherWriterMetadata,

    /// <summary>The writers are told of the backup.</summary>
    PrepareForBackup,

    /// <summary>The writers hold still, the file systems are written out, the shadow copies are made, and all go on.</summary>
    DoSnapshotSet,

    /// <summary>The writers tell how it went.</summary>
    GatherWriterStatus,

    /// <summary>The writers are told that the backup is done.</summary>
    BackupComplete,
}

/// <summary>A writer: what brings the files of an application into order.</summary>
/// <param name="Name">Its name, as "SqlServerWriter".</param>
/// <param name="State">A VSS_WRITER_STATE.</param>
/// <param name="Failure">The HRESULT that it failed with, or 0.</param>
internal sealed record VssWriter(string Name, int State, int Failure)
{
    private const int FirstFailure = 6;
    private const int LastFailure = 15;

    /// <summary>Whether it failed: VSS_WS_FAILED_AT_IDENTIFY (6) to VSS_WS_FAILED_AT_BACKUPSHUTDOWN (15), or it says why.</summary>
    public bool HasFailed => State is >= FirstFailure and <= LastFailure || Failure < 0;
}
