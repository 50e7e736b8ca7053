using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>The moment of a machine, with what libvirt knows of it.</summary>
/// <param name="moment">The moment, which is closed with it.</param>
/// <param name="files">The machine's definition, and the variables of its firmware.</param>
internal sealed class LibvirtMoment(IMachineMoment moment, IReadOnlyList<(string Name, byte[] Content)> files) : IMachineMoment
{
    /// <inheritdoc/>
    public IReadOnlyList<MomentDisk> Disks => moment.Disks;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, byte[] Content)> Files => files;

    /// <inheritdoc/>
    public SourceConsistency Consistency => moment.Consistency;

    /// <inheritdoc/>
    public TimeSpan Frozen => moment.Frozen;

    /// <inheritdoc/>
    public void RequireHeld() => moment.RequireHeld();

    /// <inheritdoc/>
    public Task CommitAsync(SessionId session, CancellationToken cancellationToken) => moment.CommitAsync(session, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => moment.DisposeAsync();
}
