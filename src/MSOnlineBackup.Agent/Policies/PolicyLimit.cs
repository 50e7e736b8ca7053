namespace MSOnlineBackup.Agent.Policies;

/// <summary>A limit that policies and settings are held to: a row of <see cref="PolicyLimits.Table"/>.</summary>
/// <param name="Name">What is limited, as messages name it.</param>
/// <param name="Place">Where the value stands.</param>
/// <param name="Unit">Of what it is a number; empty where the name says it.</param>
/// <param name="Mars">What the original allows.</param>
/// <param name="Open">What makes sense at all.</param>
/// <param name="CodeBelow">The original's error number for a value that is too small.</param>
/// <param name="Action">What to do about a value outside; null where another is chosen.</param>
internal sealed record PolicyLimit(string Name, string Place, string Unit, LimitRange Mars, LimitRange Open, string? CodeBelow = null, string? Action = null);

/// <summary>From the least to the most that is allowed, both included.</summary>
internal readonly record struct LimitRange(long Least, long Most)
{
    /// <summary>Whether there is no upper end.</summary>
    public bool IsOpenEnded => Most == long.MaxValue;

    /// <summary>Whether a value is within.</summary>
    public bool Contains(long value) => value >= Least && value <= Most;

    /// <summary>As messages and the documentation show it.</summary>
    public override string ToString() => IsOpenEnded
        ? FormattableString.Invariant($"{Least:N0} or more")
        : FormattableString.Invariant($"{Least:N0} to {Most:N0}");
}
