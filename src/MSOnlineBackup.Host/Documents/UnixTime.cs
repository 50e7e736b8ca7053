namespace MSOnlineBackup.Host.Documents;

/// <summary>Times of files as the engine keeps them.</summary>
internal static class UnixTime
{
    private const long NanosecondsPerTick = 100;

    /// <summary>Nanoseconds since 1970 as a time. Every value that 64 bits can hold is one: they reach from 1677 to 2262.</summary>
    public static DateTimeOffset FromNanoseconds(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / NanosecondsPerTick);
}
