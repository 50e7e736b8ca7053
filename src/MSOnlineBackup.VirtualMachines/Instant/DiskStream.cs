using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>
/// The taking over of one disk: a job of QEMU's (block-stream) that reads what the image has not yet, into it. It goes on where this process is killed, and waits where the vault is away. What it cannot read since that is
/// damaged, it passes over in the end, so that all the rest is in; the image keeps what is below it then.
/// </summary>
/// <param name="monitor">QEMU.</param>
/// <param name="record">The machine.</param>
/// <param name="index">The disk.</param>
/// <param name="request">How.</param>
internal sealed class DiskStream(QmpClient monitor, InstantRecord record, int index, InstantRequest request)
{
    // What could not be read is tried again so often.
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);
    private const int MostFailures = 5;

    private readonly string _job = string.Create(CultureInfo.InvariantCulture, $"obengine-stream{index}");
    private bool _passesOver;
    private bool _wasCancelled;
    private bool _isUnderWay;
    private string? _error;
    private bool _isOver;
    private int _failures;
    private long? _tried;

    /// <summary>The disk.</summary>
    public InstantDisk Disk => record.Disks[index];

    /// <summary>Whether the image has all.</summary>
    public bool IsWhole { get; set; }

    /// <summary>How much it has, holes and what the guest wrote included; less where it is looked at anew.</summary>
    public long Bytes { get; private set; }

    /// <summary>What could not be taken over, where the rest was; null where it is not at its end.</summary>
    public BackupException? Damage { get; private set; }

    /// <summary>Whether nothing more comes of it.</summary>
    public bool IsOver => IsWhole || _isOver;

    /// <summary>Takes down what QEMU tells of a job that has ended.</summary>
    public void Note(JsonElement ended)
    {
        if (ended.Text("device") == _job)
        {
            _error = ended.Text("error");
        }
    }

    /// <summary>Sees to it.</summary>
    /// <param name="jobs">QEMU's jobs of disks that have not ended.</param>
    /// <param name="damage">What was damaged of the disk since the last time; null where nothing was.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="QmpException">QEMU refused a command.</exception>
    public async Task AdvanceAsync(JsonElement jobs, BackupException? damage, CancellationToken cancellationToken)
    {
        Damage = damage ?? Damage;
        if (IsOver)
        {
            return;
        }

        if (((JsonElement?)jobs).Elements().Where(job => job.Text("device") == _job).Cast<JsonElement?>().FirstOrDefault() is { } own)
        {
            if (!_isUnderWay)
            {
                // Of an earlier process, which may have been told of another speed.
                _isUnderWay = true;
                await TellJobAsync("block-job-set-speed", new JsonObject { ["device"] = _job, ["speed"] = request.MostBytesPerSecond }, cancellationToken).ConfigureAwait(false);
            }

            Bytes = Math.Min(own.Number("offset") ?? 0, Disk.Bytes);
            if (own.Text("io-status") is "failed" or "nospace")
            {
                await GoOnAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        else if (_isUnderWay)
        {
            _isUnderWay = false;
            await EndAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await BeginAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (IsPausing())
        {
            return;
        }

        var arguments = new JsonObject
        {
            ["job-id"] = _job,
            ["device"] = QemuStart.NodeOf(index),
            ["speed"] = request.MostBytesPerSecond,
            ["on-error"] = _passesOver ? "ignore" : "stop",
        };

        // It is forgotten as it ends: of one that has ended and is not, QEMU 7.2 cannot list the nodes, and falls.
        _isUnderWay = true;
        _error = null;
        await monitor.ExecuteAsync("block-stream", arguments, cancellationToken).ConfigureAwait(false);
    }

    // It waits, since something could not be read, or written.
    private async Task GoOnAsync(CancellationToken cancellationToken)
    {
        if (Damage is not null)
        {
            _passesOver = _wasCancelled = true;
            await TellJobAsync("block-job-cancel", new JsonObject { ["device"] = _job, ["force"] = true }, cancellationToken).ConfigureAwait(false);
        }
        else if (!IsPausing())
        {
            await TellJobAsync("block-job-resume", new JsonObject { ["device"] = _job }, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<bool> whole = await InstantQemu.ReadWholeAsync(monitor, record, cancellationToken).ConfigureAwait(false);
        if (whole[index])
        {
            (IsWhole, Bytes) = (true, Disk.Bytes);
        }
        else if (_wasCancelled)
        {
            (_wasCancelled, _tried) = (false, null);
        }
        else
        {
            _failures++;
            _tried = request.Clock.GetTimestamp();
            _isOver = _passesOver || _failures >= MostFailures;
            Damage ??= _error is null ? null : new BackupException(BackupErrorId.VirtualMachineCommandFailed, $"QEMU says: {_error}.", "See to what QEMU says.", Disk.Name);
        }
    }

    private async Task TellJobAsync(string command, JsonObject arguments, CancellationToken cancellationToken)
    {
        try
        {
            await monitor.ExecuteAsync(command, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (QmpException)
        {
            // It has ended meanwhile, which the next look shows.
        }
    }

    private bool IsPausing()
    {
        if (_tried is { } tried && request.Clock.GetElapsedTime(tried) < _pause)
        {
            return true;
        }

        _tried = request.Clock.GetTimestamp();
        return false;
    }
}
