using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>What a machine tells the server of its backup: how far it is, what it has to say, or how it ended. The server believes nothing of it that it can read from the vault.</summary>
internal sealed record RemoteNotice
{
    /// <summary>No notice says more things than so many: each fits into a frame then.</summary>
    public const int MostSayings = 20;

    private const int MostBytes = 256 << 10;

    /// <summary>How far it is; null where that is not told.</summary>
    public JobProgress? Progress { get; init; }

    /// <summary>Warnings, notes and lost sources, each once.</summary>
    public IReadOnlyList<RemoteSaying> Sayings { get => field ?? []; init; } = [];

    /// <summary>How it ended; null while it runs.</summary>
    public RemoteEnding? End { get; init; }

    /// <summary>As JSON.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, RemoteJobJson.Default.RemoteNotice);

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="BackupException">AgentVersionDiffers.</exception>
    public static RemoteNotice Decode(ReadOnlySpan<byte> content)
    {
        RemoteNotice notice = RemoteJobJson.Read(content, MostBytes, RemoteJobJson.Default.RemoteNotice);
        return notice.Sayings.Count <= MostSayings && !notice.Sayings.Contains(null!)
            ? notice with { Progress = notice.Progress is { } progress ? progress with { CurrentItem = progress.CurrentItem is { } item ? RemoteFacts.Line(item) : null, Wait = null } : null }
            : throw RemoteErrors.NotUnderstood("it says too much at once", null);
    }
}

/// <summary>Something that a machine has to say.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Message">In words.</param>
internal sealed record RemoteSaying(RemoteSayingKind Kind, string Message)
{
    /// <summary>Of a note: null.</summary>
    public string? Id { get; init; }

    /// <summary>Of a note: null.</summary>
    public string? Action { get; init; }

    /// <summary>What it is about, or the lost source; null for nothing.</summary>
    public string? Target { get; init; }

    /// <summary>Puts an error down. What is longer than people read is cut.</summary>
    public static RemoteSaying Of(RemoteSayingKind kind, BackupException error, string? target = null) => new(kind, RemoteFacts.Line(error.Message))
    {
        Id = error.Id.ToString(),
        Action = RemoteFacts.Line(error.RecommendedAction),
        Target = (target ?? error.Target) is { } about ? RemoteFacts.Line(about) : null,
    };

    /// <summary>The error that the machine has told. One that only a newer version knows is of the job all the same.</summary>
    public BackupException ToError(string host)
    {
        BackupErrorId id = Enum.TryParse(Id, out BackupErrorId known) && known.ToString() == Id ? known : BackupErrorId.RemoteJobLost;
        string said = RemoteFacts.Line(Message);
        string action = RemoteFacts.Line(Action ?? "");
        return new BackupException(id, $"On '{host}': {(said.Length > 0 ? said : "it failed")}", action.Length > 0 ? action : "Run the backup again.", Target is { } about ? RemoteFacts.Line(about) : null);
    }
}

/// <summary>What a machine has to say.</summary>
internal enum RemoteSayingKind
{
    /// <summary>Somebody may want to know it.</summary>
    Note,

    /// <summary>Somebody should see to it.</summary>
    Warning,

    /// <summary>A source could not be read at all.</summary>
    Lost,
}

/// <summary>How a backup ended on the machine.</summary>
internal sealed record RemoteEnding
{
    /// <summary>The point that it has made; null for none.</summary>
    public SessionId? Point { get; init; }

    /// <summary>Why it has made none; null where it has, and where it was stopped.</summary>
    public RemoteSaying? Failure { get; init; }

    public long NewFiles { get; init; }

    public long ChangedFiles { get; init; }

    public long UnchangedFiles { get; init; }

    public long ReadBytes { get; init; }

    public bool WasResumed { get; init; }
}
