namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>How long a client may let a server wait.</summary>
internal sealed record HttpTimes
{
    /// <summary>Between two requests.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>From a head's first byte to its last.</summary>
    public TimeSpan Head { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For a body.</summary>
    public TimeSpan Body { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Before it takes any more of an answer. A film that is paused stands still for minutes.</summary>
    public TimeSpan Write { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>To end after an answer that is the last one.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Ends with a token, or after a time.</summary>
    public static CancellationTokenSource Limit(TimeSpan after, CancellationToken cancellationToken)
    {
        var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(after);
        return limited;
    }
}
