using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The account in a cloud that keeps a vault: what concerns it beyond single objects.</summary>
public interface IVaultAccount
{
    /// <summary>How the account keeps copies of what it stores; null where this identity may not know, or the account says what is not known here.</summary>
    /// <exception cref="BackupException">VaultUnreachable, VaultAccountDisabled, …</exception>
    ValueTask<VaultRedundancy?> ReadRedundancyAsync(CancellationToken cancellationToken);

    /// <summary>Asks for all archived objects to become readable again, which takes hours; run again, it tells what is still on its way.</summary>
    /// <param name="urgently">Within an hour or so for small objects, at a higher price, rather than within 15 hours.</param>
    /// <param name="cancellationToken">Stops it; what was asked for by then goes on.</param>
    /// <exception cref="BackupException">VaultAccessDenied, VaultUnreachable, …</exception>
    ValueTask<VaultRehydration> RehydrateAsync(bool urgently, CancellationToken cancellationToken);
}

/// <summary>How many copies of everything an account keeps, and where.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VaultRedundancy>))]
public enum VaultRedundancy
{
    /// <summary>Three in one data centre (LRS).</summary>
    LocallyRedundant,

    /// <summary>In three data centres of a region (ZRS).</summary>
    ZoneRedundant,

    /// <summary>Locally redundant, and in another region too (GRS, RA-GRS).</summary>
    GeoRedundant,

    /// <summary>Zone-redundant, and in another region too (GZRS, RA-GZRS).</summary>
    GeoZoneRedundant,
}

/// <summary>Where objects are kept that are rarely read. What is read less often costs less to keep, more to read, and is to stay for longer.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VaultAccessTier>))]
public enum VaultAccessTier
{
    /// <summary>Read at any time.</summary>
    Hot,

    /// <summary>For 30 days at least.</summary>
    Cool,

    /// <summary>For 90 days at least.</summary>
    Cold,
}

/// <summary>What a rehydration found.</summary>
/// <param name="Started">How many archived objects it asked for.</param>
/// <param name="StartedBytes">Their bytes.</param>
/// <param name="Pending">How many had been asked for before and are not yet readable.</param>
/// <param name="PendingBytes">Their bytes.</param>
public readonly record struct VaultRehydration(int Started, long StartedBytes, int Pending, long PendingBytes);
