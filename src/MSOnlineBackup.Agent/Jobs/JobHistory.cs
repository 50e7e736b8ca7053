using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// The jobs of this machine, one folder each: its record, what it skipped, and for a background job its order and its log.
/// A record is written by the job itself; once its process is gone, by whoever holds the lock next.
/// </summary>
/// <param name="state">The machine's state, in which they lie.</param>
/// <param name="clock">This machine's clock.</param>
internal sealed class JobHistory(StateFolder state, TimeProvider clock)
{
    /// <summary>So many jobs are kept; the oldest go first.</summary>
    public const int MaxJobs = 1000;

    /// <summary>So many skipped items of a job are kept with its record; the recovery point lists all.</summary>
    public const int MaxSkipped = 10_000;

    /// <summary>A job that gave no sign of life for so long is taken for lost.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(10);

    private const string RecordName = "job.json";
    private const int Version = 1;
    private const string LockName = "jobs.lock";
    private static readonly TimeSpan _lockPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _orderPatience = TimeSpan.FromDays(1);
    private static readonly TimeSpan _lockInterval = TimeSpan.FromMilliseconds(50);

    private readonly string _folder = state.PathOf("jobs");

    /// <summary>The job that is running; null where none is.</summary>
    public JobRecord? Running => List().LastOrDefault(IsInProgress);

    /// <summary>A new id.</summary>
    public static Guid NewId() => new(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    /// <summary>A job's folder.</summary>
    public string FolderOf(Guid id) => Path.Combine(_folder, id.ToString("D"));

    /// <summary>A file of a job's.</summary>
    public string FileOf(Guid id, string name) => Path.Combine(FolderOf(id), name);

    /// <summary>Told of a job whose record was settled by somebody else, since its process has ended without doing so.</summary>
    public Action<JobRecord> Settled { get; init; } = static _ => { };

    /// <summary>A job's log, to be written to.</summary>
    public JobLog OpenLog(Guid id) => new(FileOf(id, JobLog.FileName), clock);

    /// <summary>All jobs, oldest first. What a record says of a job whose process is gone, or shows no life, is Failed with JobLost; a
    /// record that cannot be read is one that Failed with StateInvalid, or with StateAccessDenied where the system refuses it.</summary>
    public IReadOnlyList<JobRecord> List() => ReadAll().ConvertAll(Settle);

    /// <summary>A job.</summary>
    /// <exception cref="BackupException">JobNotFound; StateAccessDenied: nobody knows whether it has ended.</exception>
    public JobRecord Get(Guid id) => ReadFile(id) is { } record ? Settle(record) : throw new BackupException(
        BackupErrorId.JobNotFound,
        $"This machine has no job {id}.",
        $"List the jobs. The last {MaxJobs} are kept.",
        id.ToString());

    /// <summary>
    /// Takes the right to run a job, which one process at a time has and the system takes back when that ends, and settles what earlier ones left open.
    /// </summary>
    /// <exception cref="BackupException">JobInProgress.</exception>
    public async Task<IDisposable> LockAsync(CancellationToken cancellationToken)
    {
        // Somebody who only lists may have it for a moment.
        long start = clock.GetTimestamp();
        while (true)
        {
            if (state.TryLock(LockName) is { } held)
            {
                ReadAll().FindAll(IsInProgress).ForEach(record => SaveAsLost(record));
                return held;
            }

            JobRecord? running = ReadAll().FindLast(IsInProgress);
            if (running is not null || clock.GetElapsedTime(start) > _lockPatience)
            {
                throw InProgress(running);
            }

            await Task.Delay(_lockInterval, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says which job is in the way.</summary>
    public static BackupException InProgress(JobRecord? running)
    {
        string owner = running is null
            ? ": one without a record, such as 'obengine backup'"
            : $": the {Name(running.Kind)} {running.Id} of process {running.ProcessId}, since {running.Started:u}";
        string stop = running is null ? "" : $" (Stop-OBJob for {running.Id}; if it does not answer, end process {running.ProcessId})";
        return new BackupException(
            BackupErrorId.JobInProgress,
            $"The job could not be started as another job was in progress{owner}.",
            $"Start it again when that job has ended, or stop that job first{stop}.",
            running?.Id.ToString(),
            transient: true);
    }

    /// <summary>Writes a record.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Write(JobRecord record)
    {
        WriteFile(record.Id, RecordName, JsonSerializer.SerializeToUtf8Bytes(new JobFile(Version, record), JobJson.Default.JobFile));
    }

    /// <summary>Writes a file of a job's whole: whoever reads meanwhile sees it as it was.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void WriteFile(Guid id, string name, byte[] content) => state.Replace(FileOf(id, name), content);

    /// <summary>A record as it stands in its file; null where there is none yet.</summary>
    public JobRecord? Read(Guid id)
    {
        try
        {
            return ReadFile(id);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateAccessDenied)
        {
            return Unreadable(id, JobError.Of(e));
        }
    }

    private JobRecord? ReadFile(Guid id)
    {
        string path = FileOf(id, RecordName);
        try
        {
            JobFile? file = JsonSerializer.Deserialize(File.ReadAllBytes(path), JobJson.Default.JobFile);
            return file is null || file.Version != Version || file.Job is not { } job || job.Id != id || job.Sources is null
                ? Unreadable(id, path, file is { Version: > Version } ? "a newer version wrote it" : "it is not a job's record")
                : job;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return Unreadable(id, path, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw state.Denied(e);
        }
    }

    /// <summary>What a job skipped, as far as it is kept. A last line that was cut off by a crash is left out.</summary>
    public IReadOnlyList<SkippedItem> ReadSkipped(Guid id) => ReadLines(FileOf(id, SkippedList.FileName), SkippedList.TryParse);

    /// <summary>A job's log. A last line that was cut off by a crash is left out.</summary>
    public IReadOnlyList<JobLogEntry> ReadLog(Guid id) => ReadLines(FileOf(id, JobLog.FileName), JobLogEntry.TryParse);

    private List<T> ReadLines<T>(string path, Func<string, T?> parse)
        where T : class
    {
        FileStream stream;
        try
        {
            // A job that runs is writing it.
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw state.Denied(e);
        }

        using var file = new StreamReader(stream, Encoding.UTF8);
        var items = new List<T>();
        while (file.ReadLine() is { } line)
        {
            if (parse(line) is { } item)
            {
                items.Add(item);
            }
        }

        return items;
    }

    /// <summary>Removes the oldest jobs above the number that is kept, and orders that nobody carried out; for the holder of the lock.</summary>
    public void Trim(int keep = MaxJobs)
    {
        List<JobRecord> records = ReadAll();
        IEnumerable<Guid> old = records.Take(records.Count - keep).Where(record => !IsInProgress(record)).Select(record => record.Id);
        IEnumerable<Guid> abandoned = Ids().Except(records.Select(record => record.Id))
            .Where(id => clock.GetUtcNow() - Directory.GetLastWriteTimeUtc(FolderOf(id)) > _orderPatience);
        foreach (Guid id in old.Concat(abandoned).ToList())
        {
            try
            {
                Directory.Delete(FolderOf(id), recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody reads or removes it now; the next job finds it again. No job fails for the history's sake.
            }
        }
    }

    private static bool IsInProgress(JobRecord record) => record.State == JobState.InProgress;

    private static string Name(JobKind kind) => kind == JobKind.Backup ? "backup" : "recovery";

    private bool IsStale(JobRecord record) => clock.GetUtcNow() - record.Heartbeat > StaleAfter;

    private JobRecord SaveAsLost(JobRecord record)
    {
        JobRecord lost = AsLost(record);
        Write(lost);
        Settled(lost);
        return lost;
    }

    private static JobRecord AsLost(JobRecord record)
    {
        var error = new JobError(
            nameof(BackupErrorId.JobLost),
            null,
            $"The job's process {record.ProcessId} ended or stopped responding without reporting the result of the job. "
                + $"It last responded at {record.Heartbeat:u}.",
            "Run the job again: it continues with what has arrived in the vault. "
                + "Check the system log for why the process ended (out of memory, a restart, killed).",
            record.Id.ToString());
        return record.EndedAs(JobState.Failed, error, record.Heartbeat);
    }

    // What a record says of a job at work holds while that has the lock, and shows life. Whoever takes the lock for a job settles the
    // records of those before it, so that at most one is at work.
    private JobRecord Settle(JobRecord record)
    {
        if (!IsInProgress(record))
        {
            return record;
        }

        using IDisposable? held = state.TryLock(LockName);
        if (held is null)
        {
            return IsStale(record) ? AsLost(record) : record;
        }

        // Read again: who had the lock until now may have ended its job well.
        JobRecord? now = Read(record.Id);
        return now is null ? AsLost(record) : IsInProgress(now) ? SaveAsLost(now) : now;
    }

    private List<JobRecord> ReadAll() => [.. Ids().Select(Read).OfType<JobRecord>().OrderBy(record => record.Started).ThenBy(record => record.Id)];

    private IEnumerable<Guid> Ids()
    {
        foreach (string name in state.ListFolders(_folder))
        {
            if (Guid.TryParseExact(name, "D", out Guid id))
            {
                yield return id;
            }
        }
    }

    private JobRecord Unreadable(Guid id, string path, string why) => Unreadable(id, new JobError(
        nameof(BackupErrorId.StateInvalid),
        null,
        $"The job's record '{path}' cannot be read: {why}",
        "Remove the record's folder. Recovery points are not affected.",
        path));

    // It stands for the job, so that nobody wonders where it went.
    private JobRecord Unreadable(Guid id, JobError error)
    {
        DateTimeOffset written = LastWritten(id);
        return new JobRecord
        {
            Id = id,
            Kind = JobKind.Backup,
            State = JobState.Failed,
            Started = written,
            Ended = written,
            Heartbeat = written,
            ProcessId = 0,
            Error = error,
        };
    }

    // What a folder keeps shut has no time; the folder has one, unless the disk fails.
    private DateTimeOffset LastWritten(Guid id)
    {
        foreach (string path in new[] { FileOf(id, RecordName), FolderOf(id) })
        {
            try
            {
                return File.GetLastWriteTimeUtc(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next is asked.
            }
        }

        return clock.GetUtcNow();
    }
}

/// <summary>A record as its file has it.</summary>
internal sealed record JobFile(int Version, JobRecord? Job);

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobFile))]
internal sealed partial class JobJson : JsonSerializerContext;
