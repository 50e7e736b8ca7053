using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>Structures of macOS, in the layout with 64-bit inodes.</summary>
public sealed class MacRecordsTests
{
    [Fact]
    public void A_stat_is_read_from_its_144_bytes()
    {
        byte[] bytes = new byte[144];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 0x0100_0004);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), 0x81A4);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), 2);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), 123_456);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), 501);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), 20);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48), 1_600_000_000);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(56), 5);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(64), 1_600_000_001);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(80), 1_500_000_000);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(96), 9_999);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(104), 24);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(116), 0x4000_0000);

        Assert.Equal(144, Marshal.SizeOf<MacSystem.FileStatus>());
        UnixStat stat = MemoryMarshal.Read<MacSystem.FileStatus>(bytes).ToStat();
        ManifestEntry entry = stat.ToEntry(EntryPath.Parse("x"));
        Assert.Equal((EntryKind.File, 9_999L, 0x1A4u, 501u, 20u), (entry.Kind, entry.Size, entry.Metadata.Mode, entry.Metadata.UserId, entry.Metadata.GroupId));
        Assert.Equal((new ItemTime(1_600_000_000, 5), new ItemTime(1_600_000_001)), (entry.Metadata.Modified, entry.Metadata.Changed));
        Assert.Equal((123_456UL, (1UL << 32) | 4, 2u), (entry.Metadata.FileId, entry.Metadata.DeviceId, entry.Metadata.LinkCount));
        Assert.Equal(new ItemTime(1_500_000_000), entry.Metadata.Created);
        Assert.Equal(24, stat.Blocks);
        Assert.True(stat.IsPlaceholder);
    }

    [Fact]
    public void A_name_is_read_from_a_directory_record()
    {
        byte[] record = new byte[21 + 8];
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(16), (ushort)record.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(18), 4);
        "name"u8.CopyTo(record.AsSpan(21));

        Assert.Equal("name", Encoding.UTF8.GetString(MacSystem.NameIn(record)));
    }

    [Fact]
    public void The_name_of_a_file_system_ends_at_its_NUL()
    {
        byte[] status = new byte[2168];
        "apfs"u8.CopyTo(status.AsSpan(72));

        Assert.Equal("apfs", MacSystem.FileSystemName(status));
    }
}
