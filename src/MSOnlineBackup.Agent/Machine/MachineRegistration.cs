namespace MSOnlineBackup.Agent.Machine;

/// <summary>The vault that this machine backs up to.</summary>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="VaultLocation">Where it is: an absolute folder, or a URL.</param>
/// <param name="VaultName">What its owner calls it.</param>
/// <param name="MachineName">The name under which it knows this machine.</param>
/// <param name="Registered">Since when (UTC).</param>
/// <param name="CredentialSerial">The serial of the credential file that was used.</param>
/// <param name="Owner">The public key of the vault's owner, in base64: a vault of another owner is not this one.</param>
/// <param name="RequiresPrivateEndpoint">Whether it may be reached by a private address only.</param>
public sealed record MachineRegistration(
    string VaultId,
    string VaultLocation,
    string VaultName,
    string MachineName,
    DateTimeOffset Registered,
    long CredentialSerial,
    string Owner,
    bool RequiresPrivateEndpoint = false)
{
    /// <summary>The name under which it came into the vault, to which the key file is bound; null where it has not been renamed.</summary>
    public string? FirstName { get; init; }

    /// <summary>The names that it had before, oldest first; null for none.</summary>
    public IReadOnlyList<string>? EarlierNames { get; init; }

    /// <summary>What the system called the machine when it was registered or last renamed; null for <see cref="MachineName"/>.</summary>
    public string? HostName { get; init; }

    /// <summary>Whether the vault knows this machine by a name, or knew it by that.</summary>
    /// <param name="name">In upper or lower case.</param>
    public bool IsNamed(string name) => (EarlierNames ?? []).Append(MachineName).Contains(name, StringComparer.OrdinalIgnoreCase);
}
