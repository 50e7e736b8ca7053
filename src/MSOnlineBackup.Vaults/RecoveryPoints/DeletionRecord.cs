namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What was decided on a recovery point.</summary>
internal enum DeletionState
{
    /// <summary>It is hidden, and its data stay: it can be brought back.</summary>
    Deleted,

    /// <summary>It was brought back.</summary>
    Restored,

    /// <summary>It is deleted for ever: nothing may follow. Its objects may or may not be there still.</summary>
    Gone,
}

/// <summary>One decision on a recovery point: an object of its own, numbered one higher than the decision before it.</summary>
/// <param name="State">What was decided.</param>
/// <param name="Reason">Why, in the words of whoever did it; at most <see cref="RecoveryPointCodec.MaxTextLength"/> characters.</param>
/// <param name="AgentVersion">The version that wrote it.</param>
/// <param name="After">
/// A time at which the vault is known to have stood before, by the times of objects that were there (UTC): the decision is not older, even if the clock that stamped it was
/// slow. Null where nothing told one.
/// </param>
/// <param name="Due">Until when the point was to be kept when it was made, where retention let go of it before that because it was shortened since; null otherwise.</param>
internal sealed record DeletionRecord(DeletionState State, string Reason, string AgentVersion, DateTimeOffset? After = null, DateTimeOffset? Due = null);
