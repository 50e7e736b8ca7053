using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Costs;

/// <summary>What a job asked of a vault, and when.</summary>
/// <param name="Started">When the job began.</param>
/// <param name="Traffic">What it asked.</param>
public readonly record struct DatedTraffic(DateTimeOffset Started, VaultTraffic Traffic);
