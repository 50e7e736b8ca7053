namespace MSOnlineBackup.Agent.Machine;

/// <summary>What <c>server.json</c> holds.</summary>
internal sealed record ServerState(IReadOnlyList<ServerVault> Vaults);

/// <summary>A vault that is known.</summary>
/// <param name="VaultId">32 hexadecimal digits.</param>
/// <param name="Places">Where it and its twins are.</param>
/// <param name="KeyId">The key slot that the key came from.</param>
/// <param name="Key">The key of its chunk store, as key files have it.</param>
internal sealed record ServerVault(string VaultId, IReadOnlyList<string> Places, string KeyId, byte[] Key);
