namespace MSOnlineBackup.Cmdlets;

/// <summary>How long it may take to see what is in the way to a vault: somebody waits, and is told within a minute.</summary>
internal static class DiagnosisTime
{
    private static readonly TimeSpan _whole = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _shortest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    /// <summary>What is left of the minute, within what a diagnosis needs to tell anything.</summary>
    /// <param name="waited">For how long the vault has been tried.</param>
    public static TimeSpan LeftAfter(TimeSpan waited)
    {
        TimeSpan left = _whole - waited;
        return left < _shortest ? _shortest : left > _longest ? _longest : left;
    }
}
