namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>The recovery points of a machine, read only as far back as somebody looks: a machine may have thousands.</summary>
/// <param name="Count">How many there are, readable or not.</param>
/// <param name="NewestFirst">Those that can be read, in the order of commits. They are read as they are asked for.</param>
public sealed record PointHistory(int Count, IAsyncEnumerable<RecoveryPoint> NewestFirst);
