using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>The disks of a machine that is off: a moment for as long as nobody starts it.</summary>
/// <param name="machine">What the machine is called.</param>
internal sealed class OfflineMoment(string machine) : IMachineMoment
{
    private readonly List<OfflineDisk> _opened = [];
    private readonly List<MomentDisk> _disks = [];

    /// <inheritdoc/>
    public IReadOnlyList<MomentDisk> Disks => _disks;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, byte[] Content)> Files => [];

    /// <inheritdoc/>
    public SourceConsistency Consistency { get; } = new(ConsistencyLevel.Crash, Reason: "The machine was off.");

    /// <inheritdoc/>
    public TimeSpan Frozen => TimeSpan.Zero;

    /// <summary>Adds a disk, which it closes.</summary>
    public void Add(MachineDisk disk, OfflineDisk opened)
    {
        _opened.Add(opened);
        _disks.Add(new MomentDisk(disk with { Bytes = opened.Length }, opened, opened.Note));
    }

    /// <inheritdoc/>
    public void RequireHeld()
    {
        if (_opened.FirstOrDefault(disk => disk.WasWritten) is { } written)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{machine}' is not off: '{written.File}' was written while it was read.", "Back it up by its monitor (qmp:) while it runs, or again when it is off.", machine);
        }
    }

    /// <inheritdoc/>
    public async Task CommitAsync(SessionId session, CancellationToken cancellationToken)
    {
        BackupException? failure = null;
        foreach (OfflineDisk disk in _opened)
        {
            try
            {
                await disk.CommitAsync(session, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e)
            {
                // The records of the other disks are good.
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _opened.ForEach(disk => disk.Dispose());
        return ValueTask.CompletedTask;
    }
}
