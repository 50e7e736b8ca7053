using System.Buffers.Binary;
using System.IO.Hashing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// The checksums of a group's shards, by which damage is located: <c>version u32 | those of the parity, in its order | those of each pack's shards</c>, 16
/// bytes each.
/// </summary>
/// <param name="parity">Those of the parity: XXH3-128 of each shard.</param>
/// <param name="packs">Those of each pack, in the order of the group.</param>
internal sealed class ShardSums(byte[] parity, IReadOnlyList<byte[]> packs)
{
    /// <summary>The length of one, in bytes.</summary>
    public const int Length = 16;

    private const uint Version = 1;

    /// <summary>Those of the parity.</summary>
    public byte[] Parity => parity;

    /// <summary>Those of each pack, in the order of the group.</summary>
    public IReadOnlyList<byte[]> Packs => packs;

    /// <summary>The length of the content for a group, in bytes.</summary>
    public static int MeasureContent(ParityGeometry geometry, IEnumerable<ParityMember> members) =>
        sizeof(uint) + (Length * ((geometry.Rows * geometry.Stripes) + members.Sum(member => geometry.CountShards(member.Length))));

    /// <summary>The checksums of all shards of some bytes.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> content, int shardLength)
    {
        byte[] sums = new byte[(content.Length + shardLength - 1) / shardLength * Length];
        for (int i = 0; i * shardLength < content.Length; i++)
        {
            XxHash128.Hash(content.Slice(i * shardLength, Math.Min(shardLength, content.Length - (i * shardLength))), sums.AsSpan(i * Length, Length));
        }

        return sums;
    }

    /// <summary>Whether a shard is as it was.</summary>
    public static bool Fits(ReadOnlySpan<byte> shard, byte[] sums, int index)
    {
        Span<byte> computed = stackalloc byte[Length];
        XxHash128.Hash(shard, computed);
        return computed.SequenceEqual(sums.AsSpan(index * Length, Length));
    }

    public byte[] Encode()
    {
        byte[] content = new byte[sizeof(uint) + parity.Length + packs.Sum(sums => sums.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Version);
        Span<byte> rest = content.AsSpan(sizeof(uint));
        foreach (byte[] sums in (IEnumerable<byte[]>)[parity, .. packs])
        {
            sums.CopyTo(rest);
            rest = rest[sums.Length..];
        }

        return content;
    }

    /// <summary>Reads what <see cref="Encode"/> writes.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static ShardSums Decode(string name, ReadOnlySpan<byte> content, ParityGroup group)
    {
        if (content.Length != MeasureContent(group.Geometry, group.Members) || BinaryPrimitives.ReadUInt32LittleEndian(content) != Version)
        {
            throw VaultDamage.Parity(name, "its checksums are not those of its group");
        }

        ReadOnlySpan<byte> rest = content[sizeof(uint)..];
        byte[] parity = Take(ref rest, group.Geometry.Rows * group.Geometry.Stripes);
        var packs = new List<byte[]>();
        foreach (ParityMember member in group.Members)
        {
            packs.Add(Take(ref rest, group.Geometry.CountShards(member.Length)));
        }

        return new ShardSums(parity, packs);
    }

    private static byte[] Take(ref ReadOnlySpan<byte> rest, int count)
    {
        byte[] taken = rest[..(count * Length)].ToArray();
        rest = rest[taken.Length..];
        return taken;
    }
}
