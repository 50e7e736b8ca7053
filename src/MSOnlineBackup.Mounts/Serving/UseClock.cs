namespace MSOnlineBackup.Mounts.Serving;

/// <summary>When something was used last. Thread-safe.</summary>
internal sealed class UseClock(TimeProvider clock)
{
    private long _last = clock.GetTimestamp();

    /// <summary>For how long it has not been used.</summary>
    public TimeSpan Idle => clock.GetElapsedTime(Interlocked.Read(ref _last));

    /// <summary>It is used now.</summary>
    public void Note() => Interlocked.Exchange(ref _last, clock.GetTimestamp());
}
