using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Agent.Workloads.MariaDb;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <summary>Every decoder of what others may have written.</summary>
internal static partial class Decoders
{
    public static IReadOnlyList<Decoder> All { get; } = [.. OfPlainObjects(), .. OfRecords(), .. OfSealedObjects(), .. OfManifests(), .. OfMachines(), .. OfPipes()];

    /// <summary>What is called as decoders are, and why it is none.</summary>
    public static IReadOnlyDictionary<Type, string> Exempt { get; } = new Dictionary<Type, string>
    {
        [typeof(ChunkStore)] = "opens packs by PackReader",
        [typeof(PackRemains)] = "opens packs by PackReader, and chunks by ChunkCodec",
        [typeof(KeyRing)] = "takes names apart that it lists",
        [typeof(EntryPath)] = "of texts that people give",
        [typeof(ItemStream)] = "a stream",
        [typeof(LateStream)] = "a stream",
        [typeof(CapacityShare)] = "of texts that people give",
        [typeof(ReportJson)] = "only writes",
    };
}
