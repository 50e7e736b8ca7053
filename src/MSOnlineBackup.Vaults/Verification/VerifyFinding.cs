namespace MSOnlineBackup.Vaults.Verification;

/// <summary>One thing that is wrong.</summary>
/// <param name="Object">The stored object or chunk.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Affected">
/// What suffers, as far as known; of as many as <see cref="MostAffected"/> there may be more. Empty where it is not known, or nothing does.
/// </param>
public sealed record VerifyFinding(string Object, string Problem, IReadOnlyList<AffectedItem> Affected)
{
    /// <summary>How many a finding names at most.</summary>
    public const int MostAffected = 100;
}
