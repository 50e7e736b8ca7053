namespace MSOnlineBackup.Vaults;

/// <summary>A machine that a vault knows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Left">When it was unregistered (UTC); null where it was not. What it backed up is there all the same.</param>
public sealed record VaultMachine(string Name, DateTimeOffset? Left)
{
    /// <summary>The id that its recovery points have: 32 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Its system, as it last said.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>The version of its software, as it last said.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>What it was called first; null where it has that name still.</summary>
    public string? FirstName { get; init; }
}
