namespace MSOnlineBackup.Vaults.Errors;

/// <summary>The one exception the engine throws on purpose. Anything else that escapes it is a bug.</summary>
public sealed class BackupException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="id">The stable id.</param>
    /// <param name="message">What is wrong, with what, where; one or two sentences.</param>
    /// <param name="recommendedAction">What to do about it; never empty.</param>
    /// <param name="target">The thing the error is about: a path, an object's name, a key slot.</param>
    /// <param name="transient">Whether the same call may succeed later without anybody's doing.</param>
    /// <param name="innerException">The cause, where there is one.</param>
    /// <param name="errorCode">The number under which the original product's documentation knows the error, for example "34513" or "0x1FC07".</param>
    /// <param name="retryAfter">For how long the other side asks not to be asked again; null where it said nothing.</param>
    public BackupException(
        BackupErrorId id,
        string message,
        string recommendedAction,
        string? target = null,
        bool transient = false,
        Exception? innerException = null,
        string? errorCode = null,
        TimeSpan? retryAfter = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(recommendedAction);
        Id = id;
        RecommendedAction = recommendedAction;
        Target = target;
        IsTransient = transient;
        ErrorCode = errorCode;
        RetryAfter = retryAfter;
    }

    /// <summary>The same error, said of an item of which it keeps something from being read.</summary>
    /// <param name="path">The item's full path, for people.</param>
    public BackupException Of(string path) =>
        new(Id, $"Not all of '{path}' can be read: {Message}", RecommendedAction, path, IsTransient, this, ErrorCode, RetryAfter);

    /// <summary>The stable id.</summary>
    public BackupErrorId Id { get; }

    /// <summary>What the user can do.</summary>
    public string RecommendedAction { get; }

    /// <summary>The thing the error is about.</summary>
    public string? Target { get; }

    /// <summary>The number under which the original product's documentation knows the error; null where it knows none.</summary>
    public string? ErrorCode { get; }

    /// <summary>For how long the other side asks not to be asked again; null where it said nothing.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>
    /// Whether some object of the vault is damaged, missing or unreadable and the rest is not: it is left out and reported, and the work goes on. One notion
    /// for all that read a vault.
    /// </summary>
    public bool IsDamage => Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing or BackupErrorId.VaultDataUnreadable;

    /// <summary>Whether an error is about one object alone: damage, or a newer version's. No other object is the worse for it.</summary>
    public bool IsOfOneObject => IsDamage || Id == BackupErrorId.VaultFormatUnsupported;

    /// <summary>Whether something on a disk, or what the vault has of it, is damaged or of a kind that is not read, and the rest of the disk is not: it is reported where it is met, and the work goes on.</summary>
    public bool IsOfDisk => IsDamage || Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported;

    /// <summary>Whether an error is about one item of a source alone: its earlier version stays, and the work goes on.</summary>
    public bool IsOfSourceItem =>
        Id is BackupErrorId.SourceItemUnreadable or BackupErrorId.SourceItemChanged or BackupErrorId.SourceItemVanished or BackupErrorId.SourceItemLocked
            or BackupErrorId.SourceItemRefused;

    /// <summary>Whether a retry of the same call may succeed.</summary>
    public bool IsTransient { get; }
}
