using System.Globalization;
using System.Text;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>
/// Makes a data directory that recovers itself when it is started: the files of the base backup, the log up to the wanted time, and the settings. It comes to its place by one
/// renaming, when all is there; until then the place is as it was. Whatever of the original's could be met from there, other folders and the archive of its log, is cut off.
/// </summary>
internal sealed class PgRecovery : IWorkloadRecovery
{
    /// <summary>The folder in the data directory that holds the log to recover by.</summary>
    public const string LogFolder = "obrecovery_log";

    /// <summary>The folder in the data directory that holds what lay in tablespaces.</summary>
    public const string TablespaceFolder = "obrecovery_tablespaces";

    private const UnixFileMode PrivateFolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string[] _configuration = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"];
    private static readonly string[] _otherTargets = ["recovery_target", "recovery_target_lsn", "recovery_target_name", "recovery_target_xid"];

    /// <inheritdoc/>
    public async Task RestoreAsync(WorkloadChain chain, DateTimeOffset? moment, string staging, string target, IWorkloadItems items, CancellationToken stop)
    {
        RecoveryPoint full = await items.ReadAsync(chain.Full.Id, stop).ConfigureAwait(false);
        string data = full.Sources.FirstOrDefault(source => source.Path.StartsWith('/'))?.Path ?? throw Incomplete(chain, "its data directory");
        string[] made = [.. full.Sources.Where(source => !source.Path.StartsWith('/')).Select(source => source.Path)];
        string cluster = await FetchFolderAsync(items, full, data, Path.Combine(staging, "data"), stop).ConfigureAwait(false);
        string parts = Path.Combine(staging, "made");
        PrivateFolder.Make(parts);
        await items.RestoreAsync(full, made, parts, stop).ConfigureAwait(false);
        var place = new Place(cluster);
        foreach ((string part, string destination) in new[] { (PgFull.ControlName, "global/" + PgFull.ControlName), (PgFull.LabelName, PgFull.LabelName) }
            .Concat(_configuration.Where(made.Contains).Select(name => (name, name))))
        {
            string from = Path.Combine(parts, part);
            place.Write(destination, File.Exists(from) ? await File.ReadAllBytesAsync(from, stop).ConfigureAwait(false) : throw Incomplete(chain, part));
        }

        place.MakeFolder("pg_wal");
        string map = Path.Combine(parts, PgFull.MapName);
        await FetchTablespacesAsync(items, full, File.Exists(map) ? await File.ReadAllTextAsync(map, stop).ConfigureAwait(false) : throw Incomplete(chain, PgFull.MapName), place, staging, target, stop).ConfigureAwait(false);
        await FetchLogsAsync(chain, items, place, staging, stop).ConfigureAwait(false);
        WriteSettings(place, chain, moment, stop);
        if (!File.Exists(Path.Combine(cluster, "PG_VERSION")))
        {
            throw Incomplete(chain, "PG_VERSION");
        }

        place.Flush();
        WorkloadTarget.MoveToPlace(cluster, target);
    }

    /// <inheritdoc/>
    public string Advise(WorkloadChain chain, string target) =>
        $"The data directory '{target}' recovers when it is started, as its owner, by PostgreSQL {chain.Full.Point.Version}: pg_ctl -D '{target}' start. "
        + "Beside the original it needs a port of its own: -o '-p PORT'. When it is through, its folder " + LogFolder + " may be removed.";

    /// <summary>A text as a value in a configuration file.</summary>
    public static string Quote(string text) =>
        "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "'";

    /// <summary>The settings of a recovery, as they are appended to <c>postgresql.auto.conf</c>: the last one of a name counts.</summary>
    /// <param name="moment">The time to recover to; null for as far as the log goes.</param>
    internal static string DescribeSettings(DateTimeOffset? moment)
    {
        var text = new StringBuilder("\n# Recovery by MSOnlineBackup. The log lies in this data directory; nothing of the original's is used, or written to.\n");
        text.Append($"restore_command = 'cp \"{LogFolder}/%f\" \"%p\"'\n");
        foreach (string other in _otherTargets)
        {
            text.Append(CultureInfo.InvariantCulture, $"{other} = ''\n");
        }

        string time = moment is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff'+00'", CultureInfo.InvariantCulture) : "";
        text.Append(CultureInfo.InvariantCulture, $"recovery_target_time = '{time}'\n");
        text.Append("recovery_target_inclusive = on\nrecovery_target_action = 'promote'\nrecovery_target_timeline = 'current'\n");
        text.Append("archive_mode = off\nprimary_conninfo = ''\nprimary_slot_name = ''\n");
        return text.ToString();
    }

    /// <summary>The tablespaces of a map as the server writes it: a line each, a number and a path, in which a backslash takes the meaning from a line break.</summary>
    internal static IReadOnlyList<PgTablespace> ParseMap(string map)
    {
        var spaces = new List<PgTablespace>();
        foreach (string line in map.Split('\n'))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && uint.TryParse(line.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
            {
                spaces.Add(new PgTablespace(id, line[(space + 1)..].Replace("\\\\", "\\", StringComparison.Ordinal)));
            }
        }

        return spaces;
    }

    private static async Task<string> FetchFolderAsync(IWorkloadItems items, RecoveryPoint point, string source, string folder, CancellationToken stop)
    {
        PrivateFolder.Make(folder);
        await items.RestoreAsync(point, [source], folder, stop).ConfigureAwait(false);
        return Directory.GetDirectories(folder) is [var only]
            ? only
            : throw new BackupException(BackupErrorId.WorkloadIncomplete, $"'{source}' is not in the recovery point {point.SessionId.ToShortString()} as a folder.", "Recover to an earlier time.", source);
    }

    // They lay anywhere on the original's disks; now they lie in the data directory, and the links say so.
    private static async Task FetchTablespacesAsync(IWorkloadItems items, RecoveryPoint full, string map, Place place, string staging, string target, CancellationToken stop)
    {
        IReadOnlyList<PgTablespace> spaces = ParseMap(map);
        if (spaces.Count > 0)
        {
            place.MakeFolder(TablespaceFolder);
        }

        foreach (PgTablespace space in spaces)
        {
            string number = space.Id.ToString(CultureInfo.InvariantCulture);
            string fetched = await FetchFolderAsync(items, full, space.Location, Path.Combine(staging, "tablespace-" + number), stop).ConfigureAwait(false);
            Directory.Move(fetched, place.PathOf($"{TablespaceFolder}/{number}"));
            File.CreateSymbolicLink(place.PathOf("pg_tblspc/" + number), Path.Combine(target, TablespaceFolder, number));
        }
    }

    private static async Task FetchLogsAsync(WorkloadChain chain, IWorkloadItems items, Place place, string staging, CancellationToken stop)
    {
        place.MakeFolder(LogFolder);
        foreach (WorkloadLink log in chain.Logs)
        {
            RecoveryPoint point = await items.ReadAsync(log.Id, stop).ConfigureAwait(false);
            string source = point.Sources is [var only] ? only.Path : throw Incomplete(chain, $"the log of the recovery point {log.Id.ToShortString()}");
            string fetched = await FetchFolderAsync(items, point, source, Path.Combine(staging, "log-" + log.Id), stop).ConfigureAwait(false);
            foreach (string file in Directory.GetFiles(fetched))
            {
                File.Move(file, place.PathOf($"{LogFolder}/{Path.GetFileName(file)}"), overwrite: true);
            }
        }

        RequireLog(chain, place.PathOf(LogFolder));
    }

    /// <summary>Refuses a log that is not whole from where the base backup begins to where the chain ends, segment by segment.</summary>
    /// <exception cref="BackupException">WorkloadIncomplete.</exception>
    internal static void RequireLog(WorkloadChain chain, string folder)
    {
        WorkloadPoint full = chain.Full.Point;
        long size = Directory.EnumerateFiles(folder).Where(path => !path.EndsWith(".history", StringComparison.Ordinal)).Select(path => new FileInfo(path).Length).DefaultIfEmpty().Max();
        bool isKnown = PgPosition.TryParse(full.Start, out PgPosition from) & PgPosition.TryParse(full.End, out PgPosition least) & PgPosition.TryParse(chain.Next, out PgPosition to);
        if (!isKnown || to < least || to.Value > long.MaxValue || size is < 1 << 20 or > 1 << 30 || !long.IsPow2(size) || !uint.TryParse(full.Timeline, CultureInfo.InvariantCulture, out uint timeline))
        {
            throw Incomplete(chain, $"its log from {full.Start} to {full.End}");
        }

        foreach (PgPosition at in PgPosition.Segments(from, to, (uint)size))
        {
            string name = at.SegmentName(timeline, (uint)size);
            if (PgSegment.FindFault(Path.Combine(folder, name), at, full.System, (uint)size) is { } fault)
            {
                throw Incomplete(chain, $"the segment {name} of its log, which {fault},");
            }
        }
    }

    private static void WriteSettings(Place place, WorkloadChain chain, DateTimeOffset? moment, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        string path = place.PathOf("postgresql.auto.conf");
        string before = File.Exists(path) ? File.ReadAllText(path) : "";
        place.Write("postgresql.auto.conf", Encoding.UTF8.GetBytes(before + DescribeSettings(moment)));
        place.Write("recovery.signal", []);
        if (!File.Exists(place.PathOf("postgresql.conf")))
        {
            throw Incomplete(chain, "postgresql.conf");
        }
    }

    private static BackupException Incomplete(WorkloadChain chain, string what) => new(
        BackupErrorId.WorkloadIncomplete,
        $"What was recovered of the workload '{chain.Full.Point.Name}' is not whole: {what} is not there. The target is as it was.",
        "Run Test-OBRecoveryPoint -Level Data, or 'obengine verify': it says what is damaged. Another time may be recoverable, from another full backup.",
        chain.Full.Point.Name);

    /// <summary>The data directory in the making: what is written to it belongs to whom it belongs.</summary>
    private sealed class Place(string folder)
    {
        private readonly FileOwner _owner = FileOwner.Of(folder) ?? throw new DirectoryNotFoundException(folder);

        public string PathOf(string name) => Path.Combine(folder, name);

        public void MakeFolder(string name)
        {
            PrivateFolder.Make(PathOf(name));
            _owner.TakeFolder(PathOf(name));
        }

        public void Write(string name, byte[] content)
        {
            File.Delete(PathOf(name));
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = PrivateFileMode;
            }

            using var file = new FileStream(PathOf(name), options);
            file.Write(content);
            _owner.Take(file.SafeFileHandle);
            file.Flush(flushToDisk: true);
        }

        public void Flush()
        {
            // The server starts in no other; and where nothing of the original's rights was restored, the folder has those of a new one.
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, PrivateFolderMode);
            }

            foreach (string name in new[] { "", LogFolder, "global", "pg_tblspc", "pg_wal" })
            {
                Durability.FlushFolder(PathOf(name));
            }
        }
    }
}
