using System.Buffers;
using System.Buffers.Binary;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>Records of one length, as several objects hold them: <c>version u32 | record *</c>.</summary>
internal static class RecordList
{
    private const uint Version = 1;

    /// <summary>Writes records.</summary>
    /// <param name="recordLength">The length of each in bytes.</param>
    /// <param name="items">What they are made of.</param>
    /// <param name="write">Writes one.</param>
    public static byte[] Encode<T>(int recordLength, IReadOnlyCollection<T> items, SpanAction<byte, T> write)
    {
        byte[] content = new byte[sizeof(uint) + (items.Count * recordLength)];
        BinaryPrimitives.WriteUInt32LittleEndian(content, Version);
        Span<byte> rest = content.AsSpan(sizeof(uint));
        foreach (T item in items)
        {
            write(rest[..recordLength], item);
            rest = rest[recordLength..];
        }

        return content;
    }

    /// <summary>Returns the records: whole ones, one after the other.</summary>
    /// <param name="name">The object, for messages.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="recordLength">The length of each record in bytes.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static ReadOnlySpan<byte> Decode(string name, ReadOnlySpan<byte> content, int recordLength)
    {
        if (content.Length < sizeof(uint) || (content.Length - sizeof(uint)) % recordLength != 0)
        {
            throw VaultDamage.Corrupt(name, "its length is impossible");
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(content);
        return version == Version ? content[sizeof(uint)..] : throw new BackupException(
            BackupErrorId.VaultFormatUnsupported,
            $"The record '{name}' of the vault has format {version}; this version reads {Version}.",
            "Use a newer version of MSOnlineBackup.",
            name);
    }
}
