namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// How far the time is believed: as far as objects bear it out that a vault has from earlier. A clock that leaps ahead ends nothing by itself.
/// </summary>
internal static class WitnessedTime
{
    /// <summary>A pause between two objects that is taken on trust; a longer one may be a clock that leapt.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromDays(31);

    /// <summary>Objects must span this long after a longer pause before it is believed.</summary>
    public static readonly TimeSpan Proof = TimeSpan.FromDays(1);

    /// <summary>Up to when objects bear out that time has passed; null where there are none.</summary>
    /// <param name="created">When each was created, in any order.</param>
    public static DateTimeOffset? Of(IEnumerable<DateTimeOffset> created)
    {
        DateTimeOffset[] sorted = [.. created.Order()];
        if (sorted.Length == 0)
        {
            return null;
        }

        DateTimeOffset proven = sorted[0];
        foreach (DateTimeOffset time in sorted)
        {
            if (time - proven > LongestPause && sorted[^1] - time < Proof)
            {
                break;
            }

            proven = time;
        }

        return proven;
    }
}
