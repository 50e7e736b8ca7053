using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.Sqlite;

/// <summary>A database of SQLite's on this machine.</summary>
/// <param name="name">The workload's name.</param>
/// <param name="database">The database's file, absolute.</param>
/// <param name="spoolFolder">The folder for its copy on the way to the vault; absolute.</param>
/// <param name="clock">The clock.</param>
internal sealed class SqliteWorkload(string name, string database, string spoolFolder, TimeProvider clock) : IWorkload
{
    private readonly SqliteProgram _program = new(name);

    /// <inheritdoc/>
    public async Task<WorkloadServer> DiscoverAsync(CancellationToken stop)
    {
        if (!File.Exists(database))
        {
            throw new BackupException(
                BackupErrorId.WorkloadUnreachable, $"The database '{database}' of the workload '{name}' is not there.", "Correct its path, or see that its disk is mounted.", database, transient: true);
        }

        string version = await _program.AskVersionAsync(stop).ConfigureAwait(false);
        string place = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database))[..16]);
        return new WorkloadServer("sqlite", "", place, version, [Path.GetFileName(database)], clock.GetUtcNow());
    }

    /// <inheritdoc/>
    public async Task<IWorkloadFull> BeginFullAsync(CancellationToken stop)
    {
        PrivateFolder.Make(spoolFolder);
        Clear();
        string copy = Path.Combine(spoolFolder, Path.GetFileName(database));
        DateTimeOffset from = clock.GetUtcNow();
        await _program.CopyAsync(database, copy, stop).ConfigureAwait(false);
        DateTimeOffset to = clock.GetUtcNow();
        if (await _program.FindDamageAsync(copy, stop).ConfigureAwait(false) is { } damage)
        {
            throw new BackupException(
                BackupErrorId.WorkloadUnfit,
                $"The workload '{name}' cannot be backed up: its database is not in order: {damage}",
                "Have sqlite3 recover what can be (.recover), or recover from an earlier backup. Until it is in order nothing of it is backed up, and the earlier ones stay.",
                database);
        }

        Resemble(copy);
        return new Full(this, copy, from, to);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Whose the database is, the copy is, and so what is recovered from it.
    private void Resemble(string copy)
    {
        if (!OperatingSystem.IsWindows())
        {
            using FileStream file = File.OpenRead(copy);
            FileOwner.Of(database)?.Take(file.SafeFileHandle);
            File.SetUnixFileMode(file.SafeFileHandle, File.GetUnixFileMode(database));
        }
    }

    private void Clear()
    {
        foreach (string path in Directory.EnumerateFiles(spoolFolder))
        {
            File.Delete(path);
        }
    }

    private sealed class Full(SqliteWorkload workload, string copy, DateTimeOffset from, DateTimeOffset to) : IWorkloadFull
    {
        public IReadOnlyList<BackupSource> Sources { get; } = [new BackupSource.Tree(copy, SourceSelection.Everything)];

        public string Start => "";

        public string End => "";

        public DateTimeOffset From => from;

        public DateTimeOffset To => to;

        public ValueTask DisposeAsync()
        {
            workload.Clear();
            return ValueTask.CompletedTask;
        }
    }
}
