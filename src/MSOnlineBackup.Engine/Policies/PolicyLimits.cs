namespace MSOnlineBackup.Engine.Policies;

/// <summary>What policies are held to.</summary>
public sealed record PolicyLimits
{
    private PolicyLimits(string name) => Name = name;

    /// <summary>As documented for the original.</summary>
    public static PolicyLimits Mars { get; } = new("Mars");

    /// <summary>Only what makes sense at all.</summary>
    public static PolicyLimits Open { get; } = new("Open");

    /// <summary>The profile's name.</summary>
    public string Name { get; }

    /// <summary>Checks a policy that is to be saved.</summary>
    public void Check(BackupPolicy policy) => throw new NotImplementedException();

    /// <summary>Checks a schedule.</summary>
    public void CheckSchedule(BackupSchedule schedule) => throw new NotImplementedException();

    /// <summary>Checks a retention.</summary>
    public void CheckRetention(RetentionPolicy retention) => throw new NotImplementedException();

    /// <summary>Checks a bandwidth in bits a second.</summary>
    public void CheckThrottle(long bits) => throw new NotImplementedException();
}
