namespace MSOnlineBackup.Engine.Machine;

/// <summary>How this machine transfers. The secrets among it are wrapped where they are stored.</summary>
public sealed record MachineSettings
{
    /// <summary>The proxy; null for none.</summary>
    public ProxySetting? Proxy { get; init; }

    /// <summary>The bandwidth; null for no limit.</summary>
    public ThrottleSetting? Throttle { get; init; }
}

/// <summary>A proxy.</summary>
/// <param name="Server">Host name or address.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="UserName">Null where it asks for none.</param>
/// <param name="Password">Null where it asks for none; never shown.</param>
public sealed record ProxySetting(string Server, int Port, string? UserName = null, string? Password = null)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => UserName is null ? $"{Server}:{Port}" : $"{UserName}@{Server}:{Port}";
}

/// <summary>How fast data may be sent and fetched.</summary>
/// <param name="WorkDays">The days that have work hours.</param>
/// <param name="WorkStart">When work begins, wall time.</param>
/// <param name="WorkEnd">When it ends.</param>
/// <param name="WorkBits">Bits a second in work hours, 512,000 to 1,023,000,000.</param>
/// <param name="OtherBits">Bits a second in all other hours.</param>
public sealed record ThrottleSetting(IReadOnlyList<DayOfWeek> WorkDays, TimeSpan WorkStart, TimeSpan WorkEnd, long WorkBits, long OtherBits);
