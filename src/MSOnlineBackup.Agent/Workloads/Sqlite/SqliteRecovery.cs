using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.Sqlite;

/// <summary>Brings a database to its place: a folder with nothing but the database's file, of its own name.</summary>
internal sealed class SqliteRecovery : IWorkloadRecovery
{
    /// <inheritdoc/>
    public async Task RestoreAsync(WorkloadChain chain, DateTimeOffset? moment, string staging, string target, IWorkloadItems items, CancellationToken stop)
    {
        RecoveryPoint full = await items.ReadAsync(chain.Full.Id, stop).ConfigureAwait(false);
        string source = full.Sources is [var only] ? only.Path : throw Incomplete(chain);
        string folder = Path.Combine(staging, "data");
        PrivateFolder.Make(folder);
        await items.RestoreAsync(full, [source], folder, stop).ConfigureAwait(false);
        string file = Directory.GetFiles(folder) is [var restored] ? restored : throw Incomplete(chain);
        if (await new SqliteProgram(chain.Full.Point.Name).FindDamageAsync(file, stop).ConfigureAwait(false) is not null)
        {
            throw Incomplete(chain);
        }

        // Whose the database is may enter its folder: SQLite makes files beside it.
        FileOwner.Of(file)?.TakeFolder(folder);
        WorkloadTarget.MoveToPlace(folder, target);
    }

    /// <inheritdoc/>
    public string Advise(WorkloadChain chain, string target) =>
        $"The database as it was at {chain.Full.Point.To:yyyy-MM-dd HH:mm:ss}Z is in '{target}'. Before it takes the place of another one, stop what uses that, and remove what SQLite has beside it (-wal, -shm, -journal).";

    private static BackupException Incomplete(WorkloadChain chain) => new(
        BackupErrorId.WorkloadIncomplete,
        $"What was recovered of the workload '{chain.Full.Point.Name}' is not whole: its database is not there, or not in order. The target is as it was.",
        "Run Test-OBRecoveryPoint -Level Data, or 'obengine verify': it says what is damaged. Another time may be recoverable.",
        chain.Full.Point.Name);
}
