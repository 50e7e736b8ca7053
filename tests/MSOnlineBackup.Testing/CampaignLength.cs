namespace MSOnlineBackup.Testing;

/// <summary>How long the campaigns run: short with every test run, long where <c>OB_CAMPAIGN=full</c> asks for it.</summary>
public static class CampaignLength
{
    public static bool IsFull => Environment.GetEnvironmentVariable("OB_CAMPAIGN") == "full";

    /// <summary>Rounds of something that is repeated.</summary>
    public static int Rounds(int brief, int full) => IsFull ? full : brief;
}
