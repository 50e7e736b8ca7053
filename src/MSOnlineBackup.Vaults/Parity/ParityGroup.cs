using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>A pack of a group.</summary>
/// <param name="Slot">Its place in the group, 0 to 19; it decides the columns of its shards.</param>
/// <param name="Session">The session that wrote it.</param>
/// <param name="Number">Its number within the session.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Checksum">What it ends with; 0 as long as it was not read.</param>
internal readonly record struct ParityMember(int Slot, SessionId Session, uint Number, int Length, UInt128 Checksum = default)
{
    /// <summary>What a pack ends with.</summary>
    public static UInt128 ChecksumOf(ReadOnlySpan<byte> pack) => BinaryPrimitives.ReadUInt128BigEndian(pack[^ObjectChecksum.Length..]);

    /// <summary>What the pack is called.</summary>
    public (SessionId Session, uint Number) Pack => (Session, Number);
}

/// <summary>
/// What a group consists of: <c>version u32 | shard length u32 | stripes u32 | rows u32 | length of the sums u32 | count u32</c>,
/// then for each pack <c>slot u32 | session 16 | number u32 | length u32 | checksum 16</c>.
/// </summary>
/// <param name="Geometry">How its packs are cut.</param>
/// <param name="SumsLength">The length of the sealed checksums at the beginning of its parity, in bytes.</param>
/// <param name="Members">Its packs, in the order of their slots.</param>
internal sealed record ParityGroup(ParityGeometry Geometry, int SumsLength, IReadOnlyList<ParityMember> Members)
{
    private const uint Version = 1;
    private const int HeaderLength = 6 * sizeof(uint);
    private const int MemberLength = 16 + (3 * sizeof(uint)) + ChecksumLength;
    private const int ChecksumLength = 16;
    private const int ShardStep = 64;
    private const int MaxShard = 1 << 20;
    private const int MaxSumsLength = 4 << 20;
    private const int MaxParity = 512 << 20;

    public byte[] Encode()
    {
        byte[] content = new byte[HeaderLength + (Members.Count * MemberLength)];
        uint[] header = [Version, (uint)Geometry.ShardLength, (uint)Geometry.Stripes, (uint)Geometry.Rows, (uint)SumsLength, (uint)Members.Count];
        for (int i = 0; i < header.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(i * sizeof(uint)), header[i]);
        }

        Span<byte> rest = content.AsSpan(HeaderLength);
        foreach (ParityMember member in Members)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, member.Slot);
            member.Session.ToBytes().CopyTo(rest[sizeof(uint)..]);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[(sizeof(uint) + 16)..], member.Number);
            BinaryPrimitives.WriteInt32LittleEndian(rest[(sizeof(uint) + 20)..], member.Length);
            BinaryPrimitives.WriteUInt128BigEndian(rest[(MemberLength - ChecksumLength)..], member.Checksum);
            rest = rest[MemberLength..];
        }

        return content;
    }

    /// <summary>Reads what <see cref="Encode"/> writes.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static ParityGroup Decode(string name, ReadOnlySpan<byte> content)
    {
        if (content.Length < HeaderLength)
        {
            throw VaultDamage.Parity(name, "it is too short");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(content);
        if (version != Version)
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"The parity group '{name}' has format {version}; this version reads {Version}.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        long shard = Read(content, 1);
        long stripes = Read(content, 2);
        long rows = Read(content, 3);
        long sums = Read(content, 4);
        long count = Read(content, 5);
        if (shard is 0 or > MaxShard || shard % ShardStep != 0 || stripes is 0 or > PackFormat.MaxLength || rows is 0 or > CauchyCode.MaxRows || sums is 0 or > MaxSumsLength
            || rows * stripes * shard > MaxParity || ParityGeometry.Depth * stripes * shard > 2L * PackFormat.MaxLength
            || count > ParityGeometry.MaxPacks || content.Length != HeaderLength + (count * MemberLength))
        {
            throw VaultDamage.Parity(name, "it has an impossible shape");
        }

        var geometry = new ParityGeometry((int)shard, (int)stripes, (int)rows);
        var members = new List<ParityMember>((int)count);
        int least = 0;
        for (ReadOnlySpan<byte> rest = content[HeaderLength..]; !rest.IsEmpty; rest = rest[MemberLength..])
        {
            long slot = Read(rest, 0);
            long length = Read(rest, 6);
            if (slot < least || slot >= ParityGeometry.MaxPacks || length is 0 or > PackFormat.MaxLength || length > geometry.Capacity
                || !SessionId.TryRead(rest.Slice(sizeof(uint), 16), out SessionId session))
            {
                throw VaultDamage.Parity(name, "it names an impossible pack");
            }

            members.Add(new ParityMember((int)slot, session, (uint)Read(rest, 5), (int)length, BinaryPrimitives.ReadUInt128BigEndian(rest[(MemberLength - ChecksumLength)..])));
            least = (int)slot + 1;
        }

        return new ParityGroup(geometry, (int)sums, members);
    }

    private static long Read(ReadOnlySpan<byte> content, int at) => BinaryPrimitives.ReadUInt32LittleEndian(content[(at * sizeof(uint))..]);
}
