using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A leaf that a walk has come to, read entry by entry; or a block that cannot be read.</summary>
internal sealed class WalkedLeaf(BlockPlace place, LeafReader? leaf, BackupException? damage)
{
    private ManifestTotals _totals;

    /// <summary>Where it is. A level above 0: a node that cannot be read, and with it all that is below.</summary>
    public BlockPlace Place => place;

    /// <summary>What is wrong with the block; known for certain when <see cref="MoveNext"/> has returned false.</summary>
    public BackupException? Damage { get; private set; } = damage;

    /// <summary>False to see this leaf again in the next manifest that has it. It is seen again too where it is damaged, or was not read to its end.</summary>
    public bool IsSettled { get; set; } = true;

    /// <summary>Whether it was read to its end, and nothing was wrong with it.</summary>
    public bool WasReadWhole { get; private set; }

    /// <summary>The path of the entry reached.</summary>
    public ReadOnlySpan<byte> Path => leaf!.Path;

    /// <summary>What the entry reached is.</summary>
    public EntryKind Kind => leaf!.Kind;

    /// <summary>All that the entry reached has of bytes; see <see cref="LeafReader.Contents"/>.</summary>
    public IReadOnlyList<ItemContent> Contents => leaf!.Contents;

    /// <summary>The entry reached, as an object of its own.</summary>
    public ManifestEntry Current => leaf!.ToEntry();

    /// <summary>Goes on to the next entry; false at the end, and where the rest cannot be read.</summary>
    public bool MoveNext()
    {
        if (Damage is not null || WasReadWhole)
        {
            return false;
        }

        try
        {
            return Advance();
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Damage = e;
            return false;
        }
    }

    private bool Advance()
    {
        bool isFirst = _totals.Entries == 0;
        bool more = leaf!.MoveNext();
        if (isFirst && !place.IsTop && !(more && leaf.Path.SequenceEqual(place.Block.FirstPath.Bytes)))
        {
            throw ManifestFormat.Damaged(place.Block.Id, "it does not begin where the node above says");
        }

        if (more)
        {
            _totals += ManifestTotals.Of(leaf.Kind, leaf.Size);
            return place.End is not { } end || EntryPath.Compare(leaf.Path, end.Bytes) < 0
                ? true
                : throw ManifestFormat.Damaged(place.Block.Id, "its entries reach into the next block");
        }

        WasReadWhole =
            _totals == place.Block.Totals ? true : throw ManifestFormat.Damaged(place.Block.Id, "it does not have the totals that the node above states");
        return false;
    }
}
