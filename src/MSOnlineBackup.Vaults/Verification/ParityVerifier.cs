using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Whether parity is there, is as it was written, and is of the packs that are there. What is damaged of it costs no backup anything.</summary>
/// <param name="store">The store.</param>
/// <param name="problems">Gets what is wrong.</param>
internal sealed class ParityVerifier(ChunkStore store, ProblemList problems)
{
    private readonly ParityStore _parity = new(store);
    private readonly Dictionary<(SessionId Session, uint Number), List<(KnownGroup Group, UInt128 Checksum)>> _packs = [];

    /// <summary>Verifies what is listed of parity.</summary>
    /// <param name="listed">The objects.</param>
    /// <param name="level">Whether the parity itself is read too.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(IEnumerable<StoredObject> listed, VerifyLevel level, CancellationToken cancellationToken)
    {
        (List<KnownGroup> groups, _) = await _parity.ReadAsync(listed, damage => problems.Note(damage), cancellationToken).ConfigureAwait(false);
        foreach (KnownGroup known in groups)
        {
            foreach (ParityMember member in known.Group.Members)
            {
                if (!_packs.TryGetValue(member.Pack, out List<(KnownGroup, UInt128)>? of))
                {
                    _packs.Add(member.Pack, of = []);
                }

                of.Add((known, member.Checksum));
            }
        }

        if (level == VerifyLevel.Data)
        {
            var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
            await Parallel.ForEachAsync(groups, options, async (known, token) =>
            {
                if (!await _parity.IsSoundAsync(known, token).ConfigureAwait(false)
                    && await _parity.IsThereAsync((known.Session, known.Number), token).ConfigureAwait(false))
                {
                    problems.Note(VaultDamage.Parity(_parity.NameOfShards(known), "it is not as it was written"));
                }
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Compares a pack that is as it was written with what its parity was made of.</summary>
    /// <param name="pack">The pack.</param>
    /// <param name="content">All of it.</param>
    public void Compare(PackInfo pack, ReadOnlySpan<byte> content)
    {
        if (_packs.TryGetValue((pack.Session, pack.Number), out List<(KnownGroup Group, UInt128 Checksum)>? of))
        {
            UInt128 checksum = ParityMember.ChecksumOf(content);
            foreach ((KnownGroup known, _) in of.Where(found => found.Checksum != checksum))
            {
                problems.Note(VaultDamage.Parity(_parity.NameOfShards(known), $"it is of another pack than '{store.NameOf(pack)}'"));
            }
        }
    }
}
