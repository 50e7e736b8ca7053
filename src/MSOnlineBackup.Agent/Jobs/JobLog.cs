using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// A job's log: JSON lines beside its record, each with the system as soon as it is written, so that a process that is killed leaves what it knew.
/// It is of bounded length, and what must be told at the end finds room. For several threads.
/// </summary>
/// <param name="path">The file. It is made with the first line.</param>
/// <param name="clock">This machine's clock.</param>
internal sealed class JobLog(string path, TimeProvider clock) : IDisposable
{
    /// <summary>The file's name in the job's folder.</summary>
    public const string FileName = "log.jsonl";

    /// <summary>So long it gets at most, in bytes.</summary>
    public const int MaxLength = 256 << 10;

    // For phases, warnings and the end, which come last and are few.
    private const int Reserve = 64 << 10;
    private const int MaxText = 2048;

    private readonly Lock _gate = new();
    private FileStream? _file;
    private long _length;
    private bool _isFull;

    /// <summary>Why it has not all lines; null where it has.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Adds a line, with the present time. Lines of what there may be very many of are left out where there is no room for more.</summary>
    public void Write(JobLogEntry entry)
    {
        bool mayBeMany = entry.Event is JobLogEvent.Skipped or JobLogEvent.Note or JobLogEvent.Retry or JobLogEvent.Damage;
        lock (_gate)
        {
            if (Failure is not null || (_isFull && mayBeMany))
            {
                return;
            }

            byte[] line = [.. Shorten(entry with { Time = clock.GetUtcNow() }).Encode(), (byte)'\n'];
            try
            {
                _file ??= Open();
                if (mayBeMany && _length + line.Length > MaxLength - Reserve)
                {
                    _isFull = true;
                    Append([.. Full(clock.GetUtcNow()).Encode(), (byte)'\n']);
                }
                else if (_length + line.Length <= MaxLength)
                {
                    Append(line);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The job's record tells of it: no job fails for its log.
                Failure = e;
            }
        }
    }

    /// <summary>What of a failure is told.</summary>
    public static JobLogEntry Of(BackupException what, JobLogLevel level, JobLogEvent kind) => new()
    {
        Time = default,
        Level = level,
        Event = kind,
        Message = what.Message,
        Id = what.Id.ToString(),
        Path = what.Target,
        Action = what.RecommendedAction,
    };

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private FileStream Open()
    {
        // Whoever reads, and whoever removes old jobs, may do so meanwhile.
        var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _length = file.Length;
        if (_length > 0)
        {
            // A process that was killed may have left half a line.
            file.WriteByte((byte)'\n');
            _length++;
        }

        return file;
    }

    private void Append(byte[] line)
    {
        _file!.Write(line);
        _length += line.Length;
    }

    private static JobLogEntry Full(DateTimeOffset now) => new()
    {
        Time = now,
        Level = JobLogLevel.Info,
        Event = JobLogEvent.Full,
        Message = "The log has no room for more of what was skipped, noted or tried again. The record of the job counts on, and the recovery point lists all that was skipped.",
    };

    private static JobLogEntry Shorten(JobLogEntry entry) => entry with
    {
        Message = Shorten(entry.Message)!,
        Path = Shorten(entry.Path),
        Action = Shorten(entry.Action),
        Settings = entry.Settings?.ToDictionary(setting => setting.Key, setting => Shorten(setting.Value)!, StringComparer.Ordinal),
    };

    private static string? Shorten(string? text) =>
        text is not { Length: > MaxText } ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText), "…");
}
