using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>The disk that is to be replaced, as a machine that is backed up. Nothing is written to its image: it is kept as it is.</summary>
/// <param name="name">The machine.</param>
/// <param name="image">The image.</param>
/// <param name="before">The machine as the recovery point that takes its place tells of it.</param>
internal sealed class SafetyMachine(string name, MachineImage image, MachineDescription before) : IVirtualMachine
{
    private readonly OfflineMachine _machine = new(name, [image]);

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string? Uuid => before.Uuid;

    /// <inheritdoc/>
    public string Hypervisor => _machine.Hypervisor;

    /// <inheritdoc/>
    public Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken) => _machine.ListDisksAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken) =>
        new Moment(await _machine.BeginAsync(disks, options, cancellationToken).ConfigureAwait(false), before.Hardware);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    private sealed class Moment(IMachineMoment inner, MachineHardware? hardware) : IMachineMoment
    {
        public IReadOnlyList<MomentDisk> Disks => inner.Disks;

        public IReadOnlyList<(string Name, byte[] Content)> Files => inner.Files;

        public MachineHardware? Hardware => hardware;

        public SourceConsistency Consistency => inner.Consistency;

        public TimeSpan Frozen => inner.Frozen;

        public void RequireHeld() => inner.RequireHeld();

        // A record would be written to the image.
        public Task CommitAsync(SessionId session, CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
