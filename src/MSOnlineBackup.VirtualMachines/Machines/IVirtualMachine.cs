using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>A virtual machine that can be backed up, wherever it is. One caller at a time.</summary>
public interface IVirtualMachine : IAsyncDisposable
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Its UUID; null where it has none.</summary>
    string? Uuid { get; }

    /// <summary>What it runs under, with the version: "QEMU 9.2"; "off" where it does not run.</summary>
    string Hypervisor { get; }

    /// <summary>Its disks: no drives of CDs and floppies, and no firmware.</summary>
    /// <exception cref="BackupException">It cannot be reached, or does not answer.</exception>
    Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken);

    /// <summary>Begins a backup. What an earlier one has left in the machine that was killed is taken out first.</summary>
    /// <param name="disks">Disks of <see cref="ListDisksAsync"/>, at least one.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops it; then nothing of it stays in the machine.</param>
    /// <exception cref="BackupException">There is no moment, and nothing of it stays in the machine.</exception>
    Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken);
}
