using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>The packs of an index: by the number that its records have for them, and by session and number. Not thread-safe.</summary>
/// <remarks>Millions of chunks lie in hundreds of thousands of packs: this costs 16 bytes for each beside the pack itself.</remarks>
internal sealed class PackTable
{
    private readonly List<PackInfo?> _packs = [];

    // Open addressing: one more than a pack's number; 0 where there is none. At most half of it is used.
    private int[] _slots = new int[16];

    /// <summary>The packs by the numbers that records have for them; null where nothing names a pack any more, and its records do not count.</summary>
    public IReadOnlyList<PackInfo?> ByNumber => _packs;

    /// <summary>Those that are there.</summary>
    public IEnumerable<PackInfo> All => _packs.OfType<PackInfo>();

    /// <summary>The number of a pack, which gets one where it has none.</summary>
    public int Register(PackInfo pack)
    {
        int slot = FindSlot(pack.Session, pack.Number);
        if (_slots[slot] != 0)
        {
            return _slots[slot] - 1;
        }

        _packs.Add(pack);
        _slots[slot] = _packs.Count;
        if (2 * _packs.Count > _slots.Length)
        {
            Grow();
        }

        return _packs.Count - 1;
    }

    /// <summary>Uses up a number for a pack that does not count.</summary>
    public void Skip()
    {
        _packs.Add(null);
        if (2 * _packs.Count > _slots.Length)
        {
            Grow();
        }
    }

    /// <summary>Finds a pack.</summary>
    public bool TryGet(SessionId session, uint number, [NotNullWhen(true)] out PackInfo? pack)
    {
        int found = _slots[FindSlot(session, number)];
        pack = found == 0 ? null : _packs[found - 1];
        return pack is not null;
    }

    private void Grow()
    {
        _slots = new int[2 * _slots.Length];
        for (int i = 0; i < _packs.Count; i++)
        {
            if (_packs[i] is { } pack)
            {
                _slots[FindSlot(pack.Session, pack.Number)] = i + 1;
            }
        }
    }

    // Where the pack stands, or would.
    private int FindSlot(SessionId session, uint number)
    {
        int mask = _slots.Length - 1;
        int slot = HashCode.Combine(session, number) & mask;
        for (; _slots[slot] != 0 && !(_packs[_slots[slot] - 1] is { } pack && pack.Number == number && pack.Session == session); slot = (slot + 1) & mask)
        {
        }

        return slot;
    }
}
