namespace MSOnlineBackup.Engine.Tests.Campaign;

/// <summary>How long campaigns are: short by default, exhaustive with <c>OB_CAMPAIGN=full</c>.</summary>
internal static class CampaignScope
{
    public static bool IsFull => Environment.GetEnvironmentVariable("OB_CAMPAIGN") == "full";

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
