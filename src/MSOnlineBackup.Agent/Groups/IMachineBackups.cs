using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Backs up other machines into a vault of this one.</summary>
internal interface IMachineBackups
{
    /// <summary>Has one machine back up. Where too many are at work already, it waits for its turn.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="order">What it is to back up.</param>
    /// <param name="vault">Into which vault.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<MachineBackup> RunAsync(RemoteMachine machine, MachineBackupOrder order, UnlockedVault vault, CancellationToken cancellationToken);
}

/// <summary>What a machine is to back up. Paths are paths there.</summary>
/// <param name="MachineName">Its name in the vault.</param>
/// <param name="Sources">Absolute paths of folders and files.</param>
/// <param name="Selection">What of each is taken.</param>
/// <param name="Tags">Words to attach to the point.</param>
internal sealed record MachineBackupOrder(string MachineName, IReadOnlyList<string> Sources, SourceSelection Selection, IReadOnlyList<string> Tags);

/// <summary>What came of it.</summary>
/// <param name="Point">The recovery point, as the vault has it; null where there is none.</param>
/// <param name="Failure">Why there is none; null where there is one.</param>
/// <param name="Warnings">What somebody should see to, though the backup went on; sources that are lost among them.</param>
internal sealed record MachineBackup(RecoveryPoint? Point, BackupException? Failure, IReadOnlyList<BackupException> Warnings);
