using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>One set of shadow copies, asked for in the order that the service demands.</summary>
/// <param name="service">The service.</param>
/// <param name="clock">What waiting goes by.</param>
internal sealed class VssShadowSet(IVssService service, TimeProvider clock)
{
    // VSS_CTX_BACKUP: with writers; gone with whoever asked.
    private const int BackupContext = 0;

    // VSS_BT_COPY: applications go on with their own backups as if there were none of ours.
    private const int CopyBackup = 5;

    // Writers have a minute each time, and there are some dozens.
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, Guid> _snapshots = [];
    private readonly Dictionary<string, string> _devices = [];
    private readonly Dictionary<string, string> _refusals = [];
    private readonly List<string> _failures = [];
    private IVssRequester? _requester;
    private Guid _set;
    private bool _areWritersKnown;

    /// <summary>The device of each volume's shadow copy, as <c>\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy7</c>.</summary>
    public IReadOnlyDictionary<string, string> Devices => _devices;

    /// <summary>Why each of the others has none.</summary>
    public IReadOnlyDictionary<string, string> Refusals => _refusals;

    /// <summary>What all of them have in common.</summary>
    public string Moment => _set.ToString("D");

    /// <summary>What can be relied on.</summary>
    public ConsistencyLevel Level => Weakness is null ? ConsistencyLevel.Application : ConsistencyLevel.Crash;

    /// <summary>Why programs cannot be relied on to have brought their files into order; null where they can.</summary>
    public string? Weakness => _failures.Count > 0 ? $"Programs that did not bring their files into order: {string.Join("; ", _failures)}."
        : _areWritersKnown ? null
        : "No program took part that brings its files into order.";

    /// <summary>Makes the shadow copies.</summary>
    /// <param name="volumes">As <c>\\?\Volume{…}\</c>, each once.</param>
    /// <param name="cancellationToken">Stops it; then, as after a problem, <see cref="Abort"/> has to follow.</param>
    /// <returns>Null, or why there is none at all.</returns>
    public async Task<VssProblem?> MakeAsync(IReadOnlyList<string> volumes, CancellationToken cancellationToken)
    {
        VssProblem? problem = await BeginAsync(cancellationToken).ConfigureAwait(false) ?? Add(volumes);
        if (problem is not null)
        {
            return problem;
        }

        if (_snapshots.Count == 0)
        {
            Abort();
            return null;
        }

        int result = await RunAsync(VssStep.PrepareForBackup, cancellationToken).ConfigureAwait(false);
        if (result < 0)
        {
            return new VssProblem(nameof(VssStep.PrepareForBackup), result);
        }

        await LookAtWritersAsync(cancellationToken).ConfigureAwait(false);
        result = await RunAsync(VssStep.DoSnapshotSet, cancellationToken).ConfigureAwait(false);
        if (result < 0)
        {
            return new VssProblem(nameof(VssStep.DoSnapshotSet), result);
        }

        await LookAtWritersAsync(cancellationToken).ConfigureAwait(false);
        return FindDevices();
    }

    /// <summary>Tells the writers that the backup is done, and removes the shadow copies. They are gone then, whatever is answered: Windows removes those of a backup with whoever asked.</summary>
    public async Task EndAsync()
    {
        if (_requester is not { } requester)
        {
            return;
        }

        _requester = null;
        using (requester)
        {
            _ = await RunAsync(requester, VssStep.BackupComplete, CancellationToken.None).ConfigureAwait(false);
            _ = requester.DeleteSnapshots(_set);
        }
    }

    /// <summary>Ends what was begun. Where it is not, no other program of the machine can make a shadow copy.</summary>
    public void Abort()
    {
        if (_requester is { } requester)
        {
            _requester = null;
            _ = requester.AbortBackup();
            requester.Dispose();
        }
    }

    private async Task<VssProblem?> BeginAsync(CancellationToken cancellationToken)
    {
        int result = service.Begin(out _requester);
        if (result < 0 || _requester is not { } requester)
        {
            return new VssProblem("CreateVssBackupComponents", result < 0 ? result : VssResult.BadState);
        }

        (string Step, Func<int> Ask)[] steps =
        [
            (nameof(IVssRequester.InitializeForBackup), requester.InitializeForBackup),
            (nameof(IVssRequester.SetContext), () => requester.SetContext(BackupContext)),
            (nameof(IVssRequester.SetBackupState), () => requester.SetBackupState(CopyBackup)),
        ];
        foreach ((string step, Func<int> ask) in steps)
        {
            result = ask();
            if (result < 0)
            {
                return new VssProblem(step, result);
            }
        }

        result = await RunAsync(VssStep.GatherWriterMetadata, cancellationToken).ConfigureAwait(false);
        if (result < 0)
        {
            return new VssProblem(nameof(VssStep.GatherWriterMetadata), result);
        }

        result = requester.FreeWriterMetadata();
        if (result < 0)
        {
            return new VssProblem(nameof(IVssRequester.FreeWriterMetadata), result);
        }

        result = requester.StartSnapshotSet(out _set);
        return result < 0 ? new VssProblem(nameof(IVssRequester.StartSnapshotSet), result) : null;
    }

    // A volume that is refused says why, and the others stay. Where all are, there is no set.
    private VssProblem? Add(IReadOnlyList<string> volumes)
    {
        foreach (string volume in volumes)
        {
            int result = _requester!.IsVolumeSupported(volume, out bool isSupported);
            VssProblem? problem = result < 0 ? new VssProblem(nameof(IVssRequester.IsVolumeSupported), result)
                : !isSupported ? new VssProblem(nameof(IVssRequester.IsVolumeSupported), VssResult.VolumeNotSupported)
                : null;
            if (problem is null)
            {
                result = _requester.AddToSnapshotSet(volume, out Guid snapshot);
                if (result == VssResult.SetInProgress)
                {
                    return new VssProblem(nameof(IVssRequester.AddToSnapshotSet), result);
                }

                problem = result < 0 ? new VssProblem(nameof(IVssRequester.AddToSnapshotSet), result) : null;
                if (problem is null)
                {
                    _snapshots[volume] = snapshot;
                    continue;
                }
            }

            _refusals[volume] = problem.ToString();
        }

        return null;
    }

    private VssProblem? FindDevices()
    {
        foreach ((string volume, Guid snapshot) in _snapshots)
        {
            int result = _requester!.ReadDevice(snapshot, out string device);
            if (result < 0 || device.Length == 0)
            {
                return new VssProblem(nameof(IVssRequester.ReadDevice), result < 0 ? result : VssResult.NotFound);
            }

            _devices[volume] = device;
        }

        return null;
    }

    private async Task LookAtWritersAsync(CancellationToken cancellationToken)
    {
        int result = await RunAsync(VssStep.GatherWriterStatus, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<VssWriter> writers = [];
        if (result >= 0)
        {
            result = _requester!.ReadWriters(out writers);
        }

        if (result < 0)
        {
            Note($"nobody can tell, for the writers cannot be asked: {VssResult.Describe(result)}");
            return;
        }

        _areWritersKnown |= writers.Count > 0;
        foreach (VssWriter writer in writers.Where(writer => writer.HasFailed))
        {
            Note(writer.Failure == 0 ? $"'{writer.Name}' (state {writer.State})" : $"'{writer.Name}', {VssResult.Describe(writer.Failure)}");
        }
    }

    private void Note(string failure)
    {
        if (!_failures.Contains(failure))
        {
            _failures.Add(failure);
        }
    }

    private Task<int> RunAsync(VssStep step, CancellationToken cancellationToken) => RunAsync(_requester!, step, cancellationToken);

    // 0, or what it failed with.
    private async Task<int> RunAsync(IVssRequester requester, VssStep step, CancellationToken cancellationToken)
    {
        int result = requester.Begin(step, out IVssOperation? begun);
        if (result < 0 || begun is not { } operation)
        {
            return result < 0 ? result : VssResult.BadState;
        }

        using (operation)
        {
            long began = clock.GetTimestamp();
            while (true)
            {
                result = operation.QueryStatus(out int state);
                if (result < 0 || state != VssResult.Pending)
                {
                    return result < 0 ? result : state == VssResult.Finished ? 0 : state == VssResult.Cancelled ? VssResult.Aborted : state;
                }

                if (clock.GetElapsedTime(began) >= _longest)
                {
                    _ = operation.Cancel();
                    return VssResult.TimedOut;
                }

                try
                {
                    await Task.Delay(_look, clock, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    _ = operation.Cancel();
                    throw;
                }
            }
        }
    }
}
