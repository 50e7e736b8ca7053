using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What a verification of a part of a store has found.</summary>
/// <param name="Packs">Packs that were read, damaged ones included.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="PacksInAll">Packs that there are.</param>
/// <param name="BytesInAll">Their bytes.</param>
/// <param name="DamagedPacks">Packs that are damaged or missing, by what was found now and before.</param>
/// <param name="Oldest">When the pack was read, or written, that was not read for the longest time; null where there are none.</param>
/// <param name="Findings">What was found in this run.</param>
public sealed record ShareReport(
    int Packs, long Bytes, int PacksInAll, long BytesInAll, IReadOnlyList<string> DamagedPacks, DateTimeOffset? Oldest, IReadOnlyList<VerifyFinding> Findings)
{
    /// <summary>Nothing was read.</summary>
    public static ShareReport Nothing { get; } = new(0, 0, 0, 0, [], null, []);
}
