using System.Text;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>Makes a folder with the backups that are needed, and the script by which a server recovers from them. No server is asked.</summary>
internal sealed class SqlServerRecovery : IWorkloadRecovery
{
    /// <summary>The script's name.</summary>
    public const string ScriptName = "restore.sql";

    /// <inheritdoc/>
    public async Task RestoreAsync(WorkloadChain chain, DateTimeOffset? moment, string staging, string target, IWorkloadItems items, CancellationToken stop)
    {
        (string folder, SqlManifest full) = await FetchAsync(chain, chain.Full, items, staging, stop).ConfigureAwait(false);
        var logs = new List<SqlManifest>();
        foreach (WorkloadLink link in chain.Logs)
        {
            (string fetched, SqlManifest log) = await FetchAsync(chain, link, items, staging, stop).ConfigureAwait(false);
            logs.Add(log);
            foreach (SqlPart part in log.Parts)
            {
                File.Move(Path.Combine(fetched, part.File), Path.Combine(folder, part.File));
            }
        }

        File.Delete(Path.Combine(folder, SqlManifest.FileName));
        string script = SqlScript.Write(full, logs, moment) ?? throw Incomplete(chain, "the log of one of its databases without a gap");
        string file = Path.Combine(folder, ScriptName);
        await File.WriteAllTextAsync(file, script, Encoding.ASCII, stop).ConfigureAwait(false);
        using (FileStream written = File.OpenRead(file))
        {
            FileOwner.Of(folder)?.Take(written.SafeFileHandle);
        }

        Durability.FlushFolder(folder);
        WorkloadTarget.MoveToPlace(folder, target);
    }

    /// <inheritdoc/>
    public string Advise(WorkloadChain chain, string target) =>
        $"The backups and the script that recovers from them are in '{target}'. On a server of version {chain.Full.Point.Version} or later that has no databases of these names, and whose account may read the folder: "
        + $"sqlcmd -S localhost -C -i '{target}/{ScriptName}' -v BackupFolder='{target}' DataFolder=/var/opt/mssql/data.";

    private static async Task<(string Folder, SqlManifest Manifest)> FetchAsync(WorkloadChain chain, WorkloadLink link, IWorkloadItems items, string staging, CancellationToken stop)
    {
        RecoveryPoint point = await items.ReadAsync(link.Id, stop).ConfigureAwait(false);
        string source = point.Sources is [var only] ? only.Path : throw Incomplete(chain, $"the recovery point {link.Id.ToShortString()}");
        string around = Path.Combine(staging, link.Id.ToString());
        PrivateFolder.Make(around);
        await items.RestoreAsync(point, [source], around, stop).ConfigureAwait(false);
        string folder = Directory.GetDirectories(around) is [var restored] ? restored : throw Incomplete(chain, $"the files of the recovery point {link.Id.ToShortString()}");
        string file = Path.Combine(folder, SqlManifest.FileName);
        SqlManifest manifest = (File.Exists(file) ? SqlManifest.Read(await File.ReadAllBytesAsync(file, stop).ConfigureAwait(false)) : null) ?? throw Incomplete(chain, $"'{SqlManifest.FileName}' of the recovery point {link.Id.ToShortString()}");
        return manifest.Parts.FirstOrDefault(part => !File.Exists(Path.Combine(folder, part.File))) is { } missing
            ? throw Incomplete(chain, $"'{missing.File}' of the database '{missing.Database}'")
            : (folder, manifest);
    }

    private static BackupException Incomplete(WorkloadChain chain, string what) => new(
        BackupErrorId.WorkloadIncomplete,
        $"The workload '{chain.Full.Point.Name}' cannot be recovered to this time: {what} is not there. The target is as it was.",
        "Run Test-OBRecoveryPoint -Level Data, or 'obengine verify': it says what is damaged. Another time may be recoverable, from another full backup.",
        chain.Full.Point.Name);
}
