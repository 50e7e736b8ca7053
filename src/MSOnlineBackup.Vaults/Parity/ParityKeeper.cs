using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// Keeps the parity that a vault's owner has asked for: writes what is missing, and deletes what nothing needs. A group goes when each of its packs is gone for
/// good, or is covered by another group that is there. A pack that is named and lost stays in its group until it is brought back, or is not named any more.
/// </summary>
/// <param name="store">The store, its index read.</param>
/// <param name="session">The session of whoever writes.</param>
/// <param name="percent">How much parity is wanted; 0 for none.</param>
/// <param name="workers">How many threads multiply.</param>
/// <param name="isOverTime">Whether nothing further is to be begun.</param>
/// <param name="damaged">Gets what is damaged of packs and parity, and that the vault is too full for more.</param>
internal sealed class ParityKeeper(ChunkStore store, SessionId session, int percent, int workers, Func<bool> isOverTime, Action<BackupException> damaged)
{
    // Of some groups, drawn at random, the parity is read in each run: what is damaged in it shows.
    private const int Samples = 4;

    private readonly ParityStore _parity = new(store);
    private readonly GroupWriter _writer = new(store, session, workers, damaged);
    private readonly List<KnownGroup> _groups = [];
    private readonly List<(SessionId Session, uint Number)> _ruins = [];

    // Whose parity is damaged: what they cover is covered anew.
    private readonly HashSet<KnownGroup> _weak = [];
    private bool _isRead;

    /// <summary>Bytes of parity that were written.</summary>
    public long Bytes => _writer.Bytes;

    /// <summary>Packs that have parity, after the last time.</summary>
    public int Covered { get; private set; }

    /// <summary>Packs that are to have it, and get it another time.</summary>
    public int Uncovered { get; private set; }

    /// <summary>How much parity the vault's owner wants, in per cent; null where the settings cannot be read.</summary>
    public static async Task<int?> ReadPercentAsync(ChunkStore store, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        try
        {
            return (await new VaultSettingsRegister(store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false)).ParityPercent;
        }
        catch (BackupException damage) when (damage.IsDamage)
        {
            damaged(damage);
            return null;
        }
    }

    /// <summary>Brings parity up to date. What is there of groups is read the first time.</summary>
    /// <param name="listed">The objects of parity, as they were listed.</param>
    /// <param name="isPresent">Whether a pack was listed.</param>
    /// <param name="goes">Whether a pack is to go for good, or is gone.</param>
    /// <param name="isDoubtful">Whether a pack may go soon: it is not taken into a group any more.</param>
    /// <param name="isOver">Whether nothing can come of a session any more.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task KeepAsync(
        IReadOnlyList<StoredObject> listed,
        Func<(SessionId Session, uint Number), bool> isPresent,
        Func<(SessionId Session, uint Number), bool> goes,
        Func<(SessionId Session, uint Number), bool> isDoubtful,
        Func<SessionId, bool> isOver,
        CancellationToken cancellationToken)
    {
        if (!_isRead)
        {
            (List<KnownGroup> groups, List<(SessionId Session, uint Number)> ruins) =
                await _parity.ReadAsync(listed, damaged, cancellationToken).ConfigureAwait(false);
            _groups.AddRange(groups);
            _ruins.AddRange(ruins.Where(ruin => ruin.Session != session && isOver(ruin.Session)));
            _isRead = true;
            await SampleAsync(cancellationToken).ConfigureAwait(false);
        }

        // What this session has written is named by segments that it has written since.
        Dictionary<(SessionId Session, uint Number), int> named = [];
        foreach (PackInfo pack in store.SegmentPacks.Values.SelectMany(packs => packs).Concat(store.Index.Packs.Where(pack => pack.Session == session)))
        {
            named[(pack.Session, pack.Number)] = pack.Length;
        }

        Dictionary<(SessionId Session, uint Number), int> staying = named.Where(pack => !goes(pack.Key)).ToDictionary();
        foreach (ParityMember member in _groups.SelectMany(group => group.Group.Members).Where(member => isPresent(member.Pack) && !goes(member.Pack)))
        {
            staying.TryAdd(member.Pack, member.Length);
        }

        bool MayCome((SessionId Session, uint Number) pack) => named.ContainsKey(pack) && !isDoubtful(pack) && (pack.Session == session || isPresent(pack));
        await WriteAsync(staying, MayCome, cancellationToken).ConfigureAwait(false);
        await DropAsync(staying, cancellationToken).ConfigureAwait(false);
        Dictionary<(SessionId Session, uint Number), KnownGroup> cover = ParityPlan.FindCover(staying, _groups);
        (Covered, Uncovered) = (cover.Count, percent == 0 ? 0 : staying.Keys.Count(pack => !cover.ContainsKey(pack) && MayCome(pack)));
    }

    private async Task SampleAsync(CancellationToken cancellationToken)
    {
        KnownGroup[] drawn = [.. _groups];
        RandomNumberGenerator.Shuffle(drawn.AsSpan());
        foreach (KnownGroup group in drawn.Take(percent == 0 ? 0 : Samples).TakeWhile(_ => !isOverTime()))
        {
            if (await _parity.IsSoundAsync(group, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            if (!await _parity.IsThereAsync((group.Session, group.Number), cancellationToken).ConfigureAwait(false))
            {
                // Another maintenance has replaced it.
                _groups.Remove(group);
            }
            else
            {
                damaged(VaultDamage.Parity(_parity.NameOfShards(group), "it is not as it was written"));
                _weak.Add(group);
            }
        }
    }

    private async Task WriteAsync(
        Dictionary<(SessionId Session, uint Number), int> staying, Func<(SessionId Session, uint Number), bool> mayCome, CancellationToken cancellationToken)
    {
        if (percent == 0)
        {
            return;
        }

        List<KnownGroup> sound = [.. _groups.Where(group => !_weak.Contains(group))];
        foreach (PlannedGroup plan in ParityPlan.Make(staying, mayCome, sound, percent).TakeWhile(_ => !isOverTime()))
        {
            try
            {
                if (await _writer.WriteAsync(plan, cancellationToken).ConfigureAwait(false) is { } written)
                {
                    _groups.Add(written);
                }
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
            {
                // Deleting makes room; parity waits for that.
                damaged(e);
                return;
            }
        }
    }

    private async Task DropAsync(Dictionary<(SessionId Session, uint Number), int> staying, CancellationToken cancellationToken)
    {
        IEnumerable<KnownGroup> inOrder = _groups.OrderBy(group => !_weak.Contains(group)).ThenBy(group => group);
        HashSet<KnownGroup> needed = percent == 0 ? [] : [.. ParityPlan.FindCover(staying, inOrder).Values];
        foreach (KnownGroup group in _groups.Where(group => !needed.Contains(group)).ToList())
        {
            await _parity.DeleteAsync(group.Session, group.Number, cancellationToken).ConfigureAwait(false);
            _groups.Remove(group);
        }

        foreach ((SessionId Session, uint Number) ruin in _ruins)
        {
            await _parity.DeleteAsync(ruin.Session, ruin.Number, cancellationToken).ConfigureAwait(false);
        }

        _ruins.Clear();
    }
}
