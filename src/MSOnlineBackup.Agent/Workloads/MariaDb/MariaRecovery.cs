using System.Globalization;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>
/// Makes a data directory that is just started: the full backup is unpacked and prepared, and a server of its own, which nobody else can reach, replays the log up to the wanted
/// time. It comes to its place by one renaming, when that server has ended in order.
/// </summary>
/// <param name="clock">The clock.</param>
internal sealed class MariaRecovery(TimeProvider clock) : IWorkloadRecovery
{
    /// <inheritdoc/>
    public async Task RestoreAsync(WorkloadChain chain, DateTimeOffset? moment, string staging, string target, IWorkloadItems items, CancellationToken stop)
    {
        RecoveryPoint full = await items.ReadAsync(chain.Full.Id, stop).ConfigureAwait(false);
        string parts = Path.Combine(staging, "made");
        PrivateFolder.Make(parts);
        await items.RestoreAsync(full, [MariaFacts.FileName, MariaFull.StreamName], parts, stop).ConfigureAwait(false);
        string factsFile = Path.Combine(parts, MariaFacts.FileName);
        string stream = Path.Combine(parts, MariaFull.StreamName);
        MariaFacts facts = File.Exists(factsFile) && MariaFacts.Read(await File.ReadAllBytesAsync(factsFile, stop).ConfigureAwait(false)) is { } read ? read : throw Incomplete(chain, MariaFacts.FileName);
        if (!File.Exists(stream))
        {
            throw Incomplete(chain, MariaFull.StreamName);
        }

        var owner = new FileOwner(facts.User, facts.Group);
        var tools = new MariaTools(new MariaPrograms(chain.Full.Point.Name), chain.Full.Point.Name, owner, staging, facts, clock);
        string data = tools.MakeFolder("data");
        await tools.UnpackAsync(stream, data, stop).ConfigureAwait(false);
        File.Delete(stream);
        await tools.PrepareAsync(data, stop).ConfigureAwait(false);
        MariaReplay replay = await FetchLogsAsync(chain, moment, items, tools, stop).ConfigureAwait(false);
        if (replay.Files.Count > 0)
        {
            await tools.ReplayAsync(replay, data, stop).ConfigureAwait(false);
        }

        Durability.FlushFolder(data);
        WorkloadTarget.MoveToPlace(data, target);
    }

    /// <inheritdoc/>
    public string Advise(WorkloadChain chain, string target) =>
        $"The data directory '{target}' is recovered. Start it as its owner, by MariaDB {chain.Full.Point.Version}: mariadbd --no-defaults --datadir='{target}' --socket='{target}/server.sock' --skip-networking. "
        + "Its settings are those of the machine's option files; what its InnoDB files need of them is in its backup-my.cnf.";

    /// <summary>What is replayed: the log from where the full backup ends to the first transaction that is too late.</summary>
    /// <param name="folder">The folder with all files of the chain's log.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="moment">The wanted time; null for all.</param>
    /// <exception cref="BackupException">WorkloadIncomplete: a file is missing or damaged.</exception>
    internal static MariaReplay Plan(string folder, WorkloadChain chain, DateTimeOffset? moment)
    {
        bool isKnown = MariaPlace.TryParse(chain.Full.Point.End, out MariaPlace? from) & MariaPosition.TryParse(chain.Next, out MariaPosition? end);
        if (!isKnown || from is null || end is null || MariaPosition.NumberOf(from.File) is not { } first || MariaPosition.NumberOf(end.File) is not { } last || first >= last)
        {
            throw Incomplete(chain, $"its log from {chain.Full.Point.End}");
        }

        Dictionary<long, string> there = Directory.EnumerateFiles(folder)
            .Where(path => MariaPosition.NumberOf(Path.GetFileName(path)) is not null)
            .ToDictionary(path => MariaPosition.NumberOf(Path.GetFileName(path))!.Value);
        var files = new List<string>();

        // The log has whole seconds: what is of a second that is over at the wanted time was committed before it.
        long? second = moment?.ToUnixTimeSeconds();
        for (long number = first; number < last; number++)
        {
            string path = there.GetValueOrDefault(number) ?? throw Incomplete(chain, string.Create(CultureInfo.InvariantCulture, $"the file {number} of its log"));
            using FileStream file = File.OpenRead(path);
            if (BinlogFile.Read(file) is not { } facts || facts.Length != file.Length || (number == first && from.Offset > facts.Length))
            {
                throw Incomplete(chain, $"the file {Path.GetFileName(path)} of its log, which is damaged,");
            }

            long begin = number == first ? from.Offset : BinlogFile.FirstEvent;
            if (second is { } wanted && BinlogFile.FindTransactionAt(file, begin, wanted) is { } late)
            {
                return late == begin && files.Count == 0 ? new MariaReplay([], 0, null) : new MariaReplay([.. files, path], from.Offset, late);
            }

            files.Add(path);
        }

        return new MariaReplay(files, from.Offset, null);
    }

    private static async Task<MariaReplay> FetchLogsAsync(WorkloadChain chain, DateTimeOffset? moment, IWorkloadItems items, MariaTools tools, CancellationToken stop)
    {
        string all = tools.MakeFolder("log");
        foreach (WorkloadLink log in chain.Logs)
        {
            RecoveryPoint point = await items.ReadAsync(log.Id, stop).ConfigureAwait(false);
            string source = point.Sources is [var only] ? only.Path : throw Incomplete(chain, $"the log of the recovery point {log.Id.ToShortString()}");
            string folder = tools.MakeFolder("log-" + log.Id);
            await items.RestoreAsync(point, [source], folder, stop).ConfigureAwait(false);
            string fetched = Directory.GetDirectories(folder) is [var name] ? name : throw Incomplete(chain, $"the log of the recovery point {log.Id.ToShortString()}");
            foreach (string file in Directory.GetFiles(fetched))
            {
                File.Move(file, Path.Combine(all, Path.GetFileName(file)));
                tools.Give(Path.Combine(all, Path.GetFileName(file)));
            }
        }

        return Plan(all, chain, moment);
    }

    private static BackupException Incomplete(WorkloadChain chain, string what) => new(
        BackupErrorId.WorkloadIncomplete,
        $"What was recovered of the workload '{chain.Full.Point.Name}' is not whole: {what} is not there. The target is as it was.",
        "Run Test-OBRecoveryPoint -Level Data, or 'obengine verify': it says what is damaged. Another time may be recoverable, from another full backup.",
        chain.Full.Point.Name);
}

/// <summary>A part of the log that is replayed.</summary>
/// <param name="Files">The files, in order; none where there is nothing to do.</param>
/// <param name="Start">Where the first transaction begins, in the first file.</param>
/// <param name="Stop">Where the first one begins that is left out, in the last file; null for none.</param>
internal sealed record MariaReplay(IReadOnlyList<string> Files, long Start, long? Stop);
