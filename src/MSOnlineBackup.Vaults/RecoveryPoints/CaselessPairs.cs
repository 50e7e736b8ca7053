using System.Runtime.InteropServices;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Finds items of two points whose paths differ by the case of letters only. First each item is noted that only one of the points has; then those are kept for which
/// the other has one, and at last they are matched. One caller at a time.
/// </summary>
internal sealed class CaselessPairs
{
    private readonly HashSet<ulong> _earlier = [];
    private readonly HashSet<ulong> _now = [];
    private readonly Dictionary<ulong, List<(byte[] Key, RecoverableItem Item, bool IsEarlier)>> _kept = [];

    /// <summary>Notes an item that only one of the points has.</summary>
    public void Note(ReadOnlySpan<byte> key, bool isEarlier) => (isEarlier ? _earlier : _now).Add(CaselessName.Hash(key, ignoreCase: true));

    /// <summary>Keeps an item that only one of the points has, where the other may have it by another spelling; false where not.</summary>
    public bool Keep(ReadOnlySpan<byte> key, RecoverableItem? earlier, RecoverableItem? now)
    {
        if ((earlier is null) == (now is null) || _earlier.Count == 0 || _now.Count == 0)
        {
            return false;
        }

        ulong hash = CaselessName.Hash(key, ignoreCase: true);
        if (!_earlier.Contains(hash) || !_now.Contains(hash))
        {
            return false;
        }

        ref List<(byte[], RecoverableItem, bool)>? alike = ref CollectionsMarshal.GetValueRefOrAddDefault(_kept, hash, out _);
        (alike ??= []).Add((key.ToArray(), (earlier ?? now)!, earlier is not null));
        return true;
    }

    /// <summary>What was kept, in pairs; what has no counterpart, alone.</summary>
    public IEnumerable<(RecoverableItem? Earlier, RecoverableItem? Now)> Match()
    {
        foreach (List<(byte[] Key, RecoverableItem Item, bool IsEarlier)> alike in _kept.Values)
        {
            foreach ((byte[] key, RecoverableItem earlier, _) in alike.Where(each => each.IsEarlier).ToList())
            {
                int match = alike.FindIndex(each => !each.IsEarlier && CaselessName.AreEqual(each.Key, key));
                yield return (earlier, match < 0 ? null : alike[match].Item);
                if (match >= 0)
                {
                    alike.RemoveAt(match);
                }
            }

            foreach ((_, RecoverableItem now, _) in alike.Where(each => !each.IsEarlier))
            {
                yield return (null, now);
            }
        }
    }
}
