using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Engine.Tests.Repair;

/// <summary>What happens to stored objects.</summary>
public enum Damage
{
    Flip,
    Truncation,
    Loss,
    ZeroedBlock,
    Swap,
}

/// <summary>Which objects it happens to.</summary>
public enum Victim
{
    DataPack,
    MetadataPack,
    Segment,
}

/// <summary>Damages a vault, by a seed.</summary>
/// <param name="objects">What the vault stores.</param>
/// <param name="random">The seed's.</param>
internal sealed class VaultDamager(MemoryVaultStore objects, Random random)
{
    private const int Block = 4096;

    /// <summary>Damages some object of a kind. Returns the names of those that are not as they were; empty where there are too few.</summary>
    public IReadOnlyList<string> Strike(Victim victim, Damage damage)
    {
        IReadOnlyList<string> names = Names(victim);
        return names.Count == 0 ? [] : Strike(names[random.Next(names.Count)], names, damage);
    }

    /// <summary>Damages an object.</summary>
    /// <param name="name">The object.</param>
    /// <param name="others">Objects of its kind, of which one may be swapped with it.</param>
    /// <param name="damage">How.</param>
    public IReadOnlyList<string> Strike(string name, IReadOnlyList<string> others, Damage damage)
    {
        byte[] content = objects.GetContent(name);
        switch (damage)
        {
            case Damage.Flip:
                objects.FlipBit(name, random.Next(content.Length), random.Next(8));
                break;
            case Damage.Truncation:
                objects.Damage(name, _ => content[..random.Next(content.Length)]);
                break;
            case Damage.Loss:
                objects.Remove(name);
                break;
            case Damage.ZeroedBlock:
                int at = random.Next((content.Length + Block - 1) / Block) * Block;
                objects.Damage(name, _ => [.. content.Select((b, i) => i >= at && i < at + Block ? (byte)0 : b)]);
                break;
            case Damage.Swap:
                string[] rest = [.. others.Where(other => other != name)];
                if (rest.Length == 0)
                {
                    return [];
                }

                string partner = rest[random.Next(rest.Length)];
                objects.SetContent(name, objects.GetContent(partner));
                objects.SetContent(partner, content);
                return [name, partner];
        }

        return [name];
    }

    /// <summary>The objects of a kind.</summary>
    public IReadOnlyList<string> Names(Victim victim) => victim == Victim.Segment
        ? Names(StoredKind.Segment)
        : [.. Names(StoredKind.Pack).Where(name => objects.GetContent(name) is { Length: > PackFormat.HeaderLength } content
            && content[PackFormat.KindOffset] == (byte)(victim == Victim.DataPack ? PackKind.Data : PackKind.Metadata))];

    /// <summary>The objects of a kind.</summary>
    public IReadOnlyList<string> Names(StoredKind kind) => [.. objects.Names.Where(name => VaultLayout.KindOf(name, out _) == kind)];
}
