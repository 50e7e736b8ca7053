using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>What Windows writes into buffers, and what becomes of it.</summary>
public sealed class WindowsRecordsTests
{
    // 2020-09-13 12:26:40 UTC as FILETIME.
    private const long SomeTime = 132_444_736_000_000_000;

    [Fact]
    public void Any_name_of_16_bit_units_round_trips()
    {
        Prop.ForAll(Gen.Choose(0, 0xFFFF).ListOf().ToArbitrary(), units =>
        {
            string name = string.Concat(units.Select(unit => (char)unit));
            return WtfName.FromBytes(WtfName.ToBytes(name)) == name;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    [Fact]
    public void Text_is_UTF_8_and_a_lone_surrogate_its_three_bytes()
    {
        Assert.Equal("plain é € 😀"u8.ToArray(), WtfName.ToBytes("plain é € 😀"));
        Assert.Equal([0xED, 0xA0, 0x80], WtfName.ToBytes("\uD800"));
        Assert.Equal([0xED, 0xB0, 0x80, 0xED, 0xA0, 0xBD], WtfName.ToBytes("\uDC00\uD83D"));
    }

    [Theory]
    [InlineData("FF")]
    [InlineData("C3")]
    [InlineData("EDA0")]
    public void Bytes_that_stand_for_no_name_are_told(string bytes) =>
        Assert.Null(WtfName.FromBytes(Convert.FromHexString(bytes)));

    [Fact]
    public void A_listing_with_ids_is_read()
    {
        byte[] buffer =
            [.. Record(".", 0x10, 0, 0), .. Record("file é", 0x20, 1234, 0), .. Record("link", 0x420, 0, WindowsRecord.SymbolicLinkTag, last: true)];
        var records = new List<WindowsRecord>();
        WindowsRecord.Parse(buffer, withIds: true, records);

        Assert.Equal(["file é", "link"], records.Select(record => Encoding.UTF8.GetString(record.Name)));
        ManifestEntry file = records[0].ToEntry(new EntryPath(records[0].Name));
        Assert.Equal((EntryKind.File, 1234L), (file.Kind, file.Size));
        Assert.Equal(new ItemTime(1_600_000_000), file.Metadata.Modified);
        Assert.Equal(new ItemTime(1_600_000_000, 100), file.Metadata.Changed);
        Assert.Equal(0x1122UL, file.Metadata.FileId);
        Assert.Equal((0u, 0u, 0UL), (file.Metadata.Mode, file.Metadata.LinkCount, file.Metadata.DeviceId));
        Assert.Equal(EntryKind.SymbolicLink, records[1].Kind);
    }

    [Fact]
    public void A_listing_without_ids_is_read()
    {
        byte[] record = Record("FILE.TXT", 0x20, 7, 0, last: true);
        byte[] buffer = [.. record[..68], .. record[88..]];
        var records = new List<WindowsRecord>();
        WindowsRecord.Parse(buffer, withIds: false, records);

        WindowsRecord file = Assert.Single(records);
        Assert.Equal("FILE.TXT", Encoding.UTF8.GetString(file.Name));
        Assert.Equal((7L, 0UL), (file.Size, file.FileId));
    }

    [Theory]
    [InlineData(0x20u, 0u, EntryKind.File, false, false)]
    [InlineData(0x10u, 0u, EntryKind.Directory, false, false)]
    [InlineData(0x420u, 0xA000000Cu, EntryKind.SymbolicLink, true, false)] // symbolic link
    [InlineData(0x410u, 0xA0000003u, EntryKind.SymbolicLink, true, false)] // junction
    [InlineData(0x420u, 0x80000013u, EntryKind.File, false, false)] // deduplicated
    [InlineData(0x420u, 0xA000001Du, EntryKind.File, true, false)] // link of the subsystem for Linux
    [InlineData(0x400420u, 0x9000001Au, EntryKind.File, false, true)] // in a cloud
    [InlineData(0x40410u, 0x9000101Au, EntryKind.Directory, false, true)]
    [InlineData(0x1020u, 0u, EntryKind.File, false, true)] // on a tape
    public void Attributes_and_tag_tell_what_an_item_is(uint attributes, uint tag, EntryKind kind, bool surrogate, bool placeholder)
    {
        var record = new WindowsRecord { Name = [], Attributes = attributes, ReparseTag = tag };
        Assert.Equal((kind, surrogate, placeholder), (record.Kind, record.IsSurrogate, record.IsPlaceholder));
    }

    [Theory]
    [InlineData(0L, 0)]
    [InlineData(-11_644_473_600L, 100)] // 1601
    [InlineData(-1L, 999_999_900)]
    [InlineData(1_600_000_000L, 123_456_700)]
    [InlineData(15_032_385_535L, 100)] // 2446
    public void Times_round_trip_to_a_hundred_nanoseconds(long seconds, int nanoseconds)
    {
        var time = new ItemTime(seconds, nanoseconds);

        Assert.Equal(time, WindowsRecord.ToItemTime(Assert.NotNull(WindowsRecord.ToFileTime(time))));
    }

    [Fact]
    public void The_latest_time_of_Windows_is_exact()
    {
        ItemTime latest = WindowsRecord.ToItemTime(long.MaxValue);

        Assert.Equal("+30828-09-14T02:48:05.477580700Z", latest.ToString());
        Assert.Equal(long.MaxValue, WindowsRecord.ToFileTime(latest));
    }

    [Fact]
    public void There_is_no_FILETIME_before_1601_nor_after_the_last()
    {
        Assert.Null(WindowsRecord.ToFileTime(new ItemTime(-11_644_473_600)));
        Assert.Null(WindowsRecord.ToFileTime(new ItemTime(long.MaxValue)));
        Assert.Null(WindowsRecord.ToFileTime(new ItemTime(long.MinValue)));
    }

    [Theory]
    [InlineData(@"..\folder\file", @"..\folder\file", 1u)]
    [InlineData(@"C:\folder", @"\??\C:\folder", 0u)]
    [InlineData(@"\\server\share\x", @"\??\UNC\server\share\x", 0u)]
    [InlineData(@"\rooted", @"\rooted", 1u)]
    public void Link_data_round_trip(string target, string substitute, uint flags)
    {
        byte[] data = ReparseData.ForLink(target);
        Assert.Equal(data.Length - 8, BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(4)));
        Assert.Equal(flags, BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(16)));
        int length = BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(10));
        Assert.Equal(substitute, Encoding.Unicode.GetString(data, 20, length));
        Assert.Equal(target, ReparseData.TargetOf(data));
    }

    [Fact]
    public void Junctions_are_told_from_mount_points()
    {
        Assert.Equal(@"C:\target", ReparseData.TargetOf(Junction(@"\??\C:\target")));
        string volume = ReparseData.TargetOf(Junction(@"\??\Volume{00000000-0000-0000-0000-000000000000}\"))!;
        Assert.True(ReparseData.IsVolume(volume));
        Assert.False(ReparseData.IsVolume(@"C:\target"));
    }

    [Fact]
    public void Damaged_or_foreign_reparse_data_have_no_target()
    {
        byte[] data = Junction(@"\??\C:\target");
        Assert.Null(ReparseData.TargetOf(data.AsSpan(0, 20)));
        Assert.Null(ReparseData.TargetOf([]));
        data[0] = 0x1D;
        Assert.Null(ReparseData.TargetOf(data));
    }

    [Fact]
    public void Streams_are_read_without_the_one_that_is_the_content()
    {
        byte[] buffer = [.. Stream("::$DATA", 10), .. Stream(":Zone.Identifier:$DATA", 26, last: true)];
        Assert.Equal([new StreamRecord("Zone.Identifier", 26)], StreamRecord.Parse(buffer));
    }

    [Theory]
    [InlineData(@"C:\x", @"\??\C:\x")]
    [InlineData(@"\\server\share", @"\??\UNC\server\share")]
    [InlineData(@"\\?\C:\x", @"\??\C:\x")]
    public void Paths_are_named_as_the_kernel_does(string path, string expected) =>
        Assert.Equal(expected, WindowsSourceTree.ToNative(path));

    private static byte[] Record(string name, uint attributes, long size, uint tag, bool last = false)
    {
        byte[] text = Encoding.Unicode.GetBytes(name);
        byte[] record = new byte[(88 + text.Length + 7) / 8 * 8];
        BinaryPrimitives.WriteInt32LittleEndian(record, last ? 0 : record.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), SomeTime - 10);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(24), SomeTime);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(32), SomeTime + 1);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(40), size);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(56), attributes);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(60), text.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(68), tag);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(72), 0x1122);
        text.CopyTo(record.AsSpan(88));
        return record;
    }

    [Fact]
    public void Streams_are_divided_into_those_that_stand_in_the_entry_and_those_that_are_cut()
    {
        byte[] buffer =
        [
            .. Stream("::$DATA", 10), .. Stream(":Zone.Identifier:$DATA", 26), .. Stream(":mebibyte:$DATA", 1 << 20), .. Stream(":long:$DATA", 5L << 30),
            .. Stream(":shrunk:$DATA", 26, last: true),
        ];
        var opened = new List<string>();
        var attributes = new List<EntryAttribute>();

        IReadOnlyList<SourceStream> longer = SourceStream.Divide(
            StreamRecord.Parse(buffer).Select(record => new SourceStream(WtfName.ToBytes(record.Name), record.Size)),
            stream =>
            {
                opened.Add(stream.ShownName);
                return new TrickledFile(stream.ShownName == "shrunk" ? 3 : stream.Size);
            },
            attributes);

        Assert.Equal([("long", 5L << 30)], longer.Select(stream => (stream.ShownName, stream.Size)));
        Assert.Equal(["Zone.Identifier", "mebibyte", "shrunk"], opened);
        Assert.All(attributes, attribute => Assert.Equal(AttributeTag.NamedStream, attribute.Tag));
        Assert.Equal([26, 1 << 20, 3], attributes.Select(attribute => attribute.Value.Length));
        Assert.All(attributes, attribute => Assert.False(attribute.Value.Span.ContainsAnyExcept((byte)7)));
    }

    // Gives no more than a kilobyte at once.
    private sealed class TrickledFile(long size) : ISourceFile
    {
        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            (start, length) = (offset, size - offset);
            return length > 0;
        }

        public int Read(long offset, Span<byte> destination)
        {
            int count = (int)Math.Min(Math.Min(1024, destination.Length), size - offset);
            destination[..count].Fill(7);
            return count;
        }

        public ManifestEntry Stat() => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }

    private static byte[] Stream(string name, long size, bool last = false)
    {
        byte[] text = Encoding.Unicode.GetBytes(name);
        byte[] record = new byte[(24 + text.Length + 7) / 8 * 8];
        BinaryPrimitives.WriteInt32LittleEndian(record, last ? 0 : record.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), text.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), size);
        text.CopyTo(record.AsSpan(24));
        return record;
    }

    private static byte[] Junction(string substitute)
    {
        byte[] text = Encoding.Unicode.GetBytes(substitute);
        byte[] data = new byte[16 + text.Length + 4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, WindowsRecord.MountPointTag);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(4), (ushort)(data.Length - 8));
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(10), (ushort)text.Length);
        text.CopyTo(data.AsSpan(16));
        return data;
    }
}
