using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Tries the way to a vault beyond this machine, layer by layer.</summary>
/// <param name="location">The vault's URL.</param>
/// <param name="connection">How it is reached.</param>
/// <param name="authorise">Reads something of the vault, and throws what a job would.</param>
/// <param name="limit">How long it may take to answer.</param>
/// <param name="cancellationToken">Stops it.</param>
/// <returns>What was found of <see cref="HealthCheck.Network"/>, <see cref="HealthCheck.Proxy"/>, <see cref="HealthCheck.Clock"/> and <see
/// cref="HealthCheck.VaultAccess"/>.</returns>
public delegate Task<IReadOnlyList<HealthFinding>> VaultWayTest(
    string location, VaultConnection connection, Func<CancellationToken, Task> authorise, TimeSpan limit, CancellationToken cancellationToken);

/// <summary>What checks have to be told by the program that they run in.</summary>
public sealed record HealthContext
{
    /// <summary>The PowerShell that runs; null where none does.</summary>
    public Version? PowerShell { get; init; }

    /// <summary>The folder of the module; null where it is none.</summary>
    public string? ModuleFolder { get; init; }

    /// <summary>Tries the way to a vault beyond this machine; null where that cannot be done.</summary>
    public VaultWayTest? TestWay { get; init; }
}
