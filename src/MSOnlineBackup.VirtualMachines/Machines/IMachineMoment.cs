using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>A disk as it was at a moment.</summary>
/// <param name="Disk">The disk.</param>
/// <param name="Content">Its bytes. It belongs to the moment, and is closed with it.</param>
/// <param name="Note">Why it is not known what changed since the last backup, a sentence; null where that is known.</param>
public sealed record MomentDisk(MachineDisk Disk, ISourceDisk Content, string? Note);

/// <summary>The disks of a machine as they were at one moment, while the machine goes on. Closing it takes out of the machine what it needed there.</summary>
public interface IMachineMoment : IAsyncDisposable
{
    /// <summary>The disks, in the order in which they were asked for.</summary>
    IReadOnlyList<MomentDisk> Disks { get; }

    /// <summary>What else defines the machine, by the names of files in the root of the recovery point: "domain.xml".</summary>
    IReadOnlyList<(string Name, byte[] Content)> Files { get; }

    /// <summary>What the machine is made of, beside its disks; null where nothing is known.</summary>
    MachineHardware? Hardware => null;

    /// <summary>What can be relied on, alike for all disks.</summary>
    SourceConsistency Consistency { get; }

    /// <summary>For how long the guest was held still; zero where it was not.</summary>
    TimeSpan Frozen { get; }

    /// <summary>Called when all was read, and before there is a recovery point: throws where what was read is of no one moment.</summary>
    /// <exception cref="BackupException">There is to be no recovery point.</exception>
    void RequireHeld();

    /// <summary>
    /// What is written from the moment on is recorded as changed since the recovery point that was made of it, where there can be a record; the earlier one is dropped. Called once, after the recovery point was
    /// committed.
    /// </summary>
    /// <param name="session">The recovery point that has the disks.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">The recovery point is good, and the next backup reads more than it would have to.</exception>
    Task CommitAsync(SessionId session, CancellationToken cancellationToken);
}
