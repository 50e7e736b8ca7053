using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What is known of packs by the records of verifications.</summary>
/// <param name="Sound">When each was found whole last.</param>
/// <param name="Broken">When each was found damaged or missing last.</param>
internal sealed record PackProofs(
    IReadOnlyDictionary<(SessionId Session, uint Number), DateTimeOffset> Sound,
    IReadOnlyDictionary<(SessionId Session, uint Number), DateTimeOffset> Broken)
{
    /// <summary>Whether a pack was found damaged, and not found whole since.</summary>
    public bool IsDamaged((SessionId Session, uint Number) pack) =>
        Broken.TryGetValue(pack, out DateTimeOffset broken) && !(Sound.TryGetValue(pack, out DateTimeOffset sound) && sound > broken);

    /// <summary>The packs that were found damaged, and not found whole since, in the order of names.</summary>
    public IEnumerable<(SessionId Session, uint Number)> Damaged => Broken.Keys.Where(IsDamaged).Order();

    /// <summary>When a pack was read last, whatever was found; null where nothing tells.</summary>
    public DateTimeOffset? LastRead((SessionId Session, uint Number) pack) =>
        (Sound.TryGetValue(pack, out DateTimeOffset sound), Broken.TryGetValue(pack, out DateTimeOffset broken)) switch
        {
            (true, true) => sound > broken ? sound : broken,
            (true, false) => sound,
            (false, true) => broken,
            _ => null,
        };
}
