namespace MSOnlineBackup.Vaults;

/// <summary>A machine that a vault knows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Left">When it was unregistered (UTC); null where it was not. What it backed up is there all the same.</param>
public sealed record VaultMachine(string Name, DateTimeOffset? Left);
