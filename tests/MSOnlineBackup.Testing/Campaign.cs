namespace MSOnlineBackup.Testing;

/// <summary>
/// How far the long tests go: with OB_CAMPAIGN unset as far as whoever waits for them has patience, with "usual" as far as the CI goes, and with "full" as
/// far as there is anything to try.
/// </summary>
public static class Campaign
{
    /// <summary>Whether somebody waits.</summary>
    public static bool IsBrief { get; } = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OB_CAMPAIGN"));

    /// <summary>Whether everything is to be tried, not a choice.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("OB_CAMPAIGN") == "full";

    /// <summary>How many rounds a test of chance takes: OB_CAMPAIGN_ROUNDS where it is set.</summary>
    /// <param name="brief">Where somebody waits; those of a campaign do not have it.</param>
    public static int Rounds(int usual, int full, int? brief = null) =>
        int.TryParse(Environment.GetEnvironmentVariable("OB_CAMPAIGN_ROUNDS"), out int rounds) ? rounds : IsFull ? full : IsBrief ? brief ?? usual : usual;

    /// <summary>The first seed of a test of chance: OB_CAMPAIGN_SEED where it is set, which with one round repeats a case.</summary>
    public static int FirstSeed(int usual) => int.TryParse(Environment.GetEnvironmentVariable("OB_CAMPAIGN_SEED"), out int seed) ? seed : usual;

    /// <summary>Every number, or a spread of about <paramref name="brief"/> of them that always has the ends.</summary>
    public static IEnumerable<int> Spread(int first, int last, int brief)
    {
        int step = IsFull ? 1 : Math.Max(1, (last - first + 1) / brief);
        for (int i = first; i < last; i += step)
        {
            yield return i;
        }

        yield return last;
    }
}
