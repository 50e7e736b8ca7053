using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The address of a vault: where it is, and what it takes to connect.</summary>
/// <param name="Location">An absolute folder, or a URL.</param>
public sealed record VaultAddress(string Location)
{
    /// <summary>A shared access signature or a connection string that came with a credential file; null for none. Never shown, and never
    /// written in the clear.</summary>
    [JsonIgnore]
    public string? Secret { get; init; }

    /// <summary>Whether it may be reached by a private address only.</summary>
    public bool RequiresPrivateEndpoint { get; init; }

    /// <summary>Whether it is the copy of a vault in another place, its secondary region: then it is only read, whatever its store would let one do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsSecondary { get; init; }

    /// <summary>Whether it is meant to be beyond this machine and its file systems: a URL, a mistyped one too.</summary>
    [JsonIgnore]
    public bool IsRemote =>
        Location.Contains("://", StringComparison.Ordinal)
        || Location.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
        || Location.StartsWith("http:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is on another machine, reached by the ssh program.</summary>
    [JsonIgnore]
    public bool IsSsh => Location.StartsWith("ssh://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is meant to be a container in Azure: beyond this machine, and reached in no other way.</summary>
    [JsonIgnore]
    public bool IsContainer => IsRemote && !IsSsh;

    /// <summary>A vault of which nothing but the place is known.</summary>
    public static implicit operator VaultAddress(string location) => new(location);

    /// <summary>The place.</summary>
    public override string ToString() => Location;
}
