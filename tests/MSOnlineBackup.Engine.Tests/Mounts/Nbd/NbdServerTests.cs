using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Engine.Tests.Fuzzing;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Nbd;

/// <summary>The server, asked byte by byte.</summary>
public sealed class NbdServerTests : IAsyncDisposable
{
    private const ushort Read = 0;
    private const ushort BlockStatus = 7;
    private const uint NotPermitted = 1;
    private const uint Io = 5;
    private const uint Invalid = 22;

    private readonly TempFolder _folder = new();
    private readonly MemoryView _view = new();
    private readonly byte[] _disk = new byte[1_000_000];
    private readonly ulong _id;
    private readonly NbdServer _server;
    private readonly List<Exception> _reported = [];

    public NbdServerTests()
    {
        // Data, a hole, data, a hole up to the end.
        new Random(1).NextBytes(_disk.AsSpan(0, 8192));
        new Random(2).NextBytes(_disk.AsSpan(400_000, 300_000));
        _id = _view.File(1, "disk.raw", _disk);
        _server = Start(new NbdOptions());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Name => new Uri(_server.Address).AbsolutePath[1..];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Assert.DoesNotContain(_reported, failure => failure is not BackupException);
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0, 1_000_000)]
    [InlineData(1, 1)]
    [InlineData(8000, 500)]
    [InlineData(10_000, 5000)]
    [InlineData(390_000, 330_001)]
    [InlineData(999_999, 1)]
    public async Task Bytes_are_those_of_the_file_in_either_form(int offset, int length)
    {
        using NbdClient simple = await GoAsync(isStructured: false);
        await simple.SendAsync(Read, 7, (ulong)offset, (uint)length, Cancel);
        Assert.Equal((0U, 7UL), await simple.ReadSimpleAsync(Cancel));
        Assert.Equal(_disk[offset..(offset + length)], await simple.ReadAsync(length, Cancel));

        using NbdClient structured = await GoAsync(isStructured: true);
        await structured.SendAsync(Read, 8, (ulong)offset, (uint)length, Cancel);
        byte[] read = new byte[length];
        Array.Fill(read, (byte)0xee);
        foreach ((ushort type, byte[] data) in await structured.ReadPartsAsync(8, Cancel))
        {
            int at = (int)BinaryPrimitives.ReadInt64BigEndian(data) - offset;
            if (type == 1)
            {
                data.AsSpan(8).CopyTo(read.AsSpan(at));
            }
            else
            {
                Assert.Equal(2, type);
                read.AsSpan(at, BinaryPrimitives.ReadInt32BigEndian(data.AsSpan(8))).Clear();
            }
        }

        Assert.Equal(_disk[offset..(offset + length)], read);
    }

    [Fact]
    public async Task Holes_are_told_and_not_sent()
    {
        using NbdClient client = await GoAsync(isStructured: true);

        await client.SendAsync(BlockStatus, 1, 0, 1_000_000, Cancel);
        (ushort type, byte[] data) = Assert.Single(await client.ReadPartsAsync(1, Cancel));
        Assert.Equal(5, type);
        uint[] numbers = [.. data.Chunk(4).Select(number => BinaryPrimitives.ReadUInt32BigEndian(number))];
        Assert.Equal([1U, 8192, 0, 389_120, 3, 303_104, 0, 299_584, 3], numbers);

        await client.SendAsync(BlockStatus, 2, 100_000, 900_000, Cancel, flags: 1 << 3);
        (_, data) = Assert.Single(await client.ReadPartsAsync(2, Cancel));
        Assert.Equal([1U, 297_312, 3], data.Chunk(4).Select(number => BinaryPrimitives.ReadUInt32BigEndian(number)));

        await client.SendAsync(Read, 3, 10_000, 100_000, Cancel);
        Assert.Equal(2, Assert.Single(await client.ReadPartsAsync(3, Cancel)).Type);
    }

    [Fact]
    public async Task A_disk_is_told_of_as_it_is()
    {
        using NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel);
        List<(uint Type, byte[] Data)> answers = await client.AskAsync(6, [.. NbdClient.Text(Name), 0, 2, 0, 3, 0, 1], Cancel);

        Assert.Equal([3U, 3U, 3U, 1U], answers.Select(answer => answer.Type));
        Assert.Equal([0, 0, .. NbdClient.Number(1_000_000UL), 1, 3], answers[0].Data);
        Assert.Equal([0, 1, .. Encoding.ASCII.GetBytes(Name)], answers[1].Data);
        Assert.Equal([0, 3, .. NbdClient.Number(1U), .. NbdClient.Number(65_536U), .. NbdClient.Number(32U << 20)], answers[2].Data);
    }

    [Theory]
    [InlineData(3U, 10)]
    [InlineData(1U, 134)]
    public async Task The_old_way_to_choose_a_disk_is_known(uint flags, int length)
    {
        using NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel, flags);
        await client.WriteAsync([.. "IHAVEOPT"u8, .. NbdClient.Number(1U), .. NbdClient.Text(Name)], Cancel);
        Assert.Equal([.. NbdClient.Number(1_000_000UL), 1, 3, .. new byte[length - 10]], await client.ReadAsync(length, Cancel));
        await client.SendAsync(Read, 1, 5, 5, Cancel);
        Assert.Equal(0U, (await client.ReadSimpleAsync(Cancel)).Error);

        using NbdClient other = await NbdClient.ConnectAsync(_server.Address, Cancel, flags);
        await other.WriteAsync([.. "IHAVEOPT"u8, .. NbdClient.Number(1U), .. NbdClient.Text("")], Cancel);
        Assert.True(await other.IsEndedAsync(Cancel));
    }

    [Fact]
    public async Task Without_its_name_a_disk_is_not_had()
    {
        using NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel);

        foreach (string name in new[] { "", "disk.raw", Name[1..], Name + "0" })
        {
            Assert.Equal((1U << 31) + 6, (await client.AskAsync(7, [.. NbdClient.Text(name), 0, 0], Cancel)).Single().Type);
            Assert.Equal((1U << 31) + 6, (await client.AskAsync(9, [.. NbdClient.Text(name), 0, 0, 0, 0], Cancel)).Single().Type);
        }

        Assert.Equal((1U << 31) + 2, (await client.AskAsync(3, [], Cancel)).Single().Type);
    }

    [Fact]
    public async Task What_is_not_known_is_refused_and_the_talk_goes_on()
    {
        using NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel);

        Assert.Equal((1U << 31) + 1, (await client.AskAsync(5, [], Cancel)).Single().Type);
        Assert.Equal((1U << 31) + 1, (await client.AskAsync(4711, new byte[100], Cancel)).Single().Type);
        Assert.Equal((1U << 31) + 9, (await client.AskAsync(7, new byte[100_000], Cancel)).Single().Type);
        Assert.Equal((1U << 31) + 3, (await client.AskAsync(7, [0xff, 0xff, 0xff, 0xff, 1], Cancel)).Single().Type);
        Assert.Equal((1U << 31) + 3, (await client.AskAsync(8, [1], Cancel)).Single().Type);
        Assert.Equal((1U << 31) + 3, (await client.AskAsync(10, [.. NbdClient.Text(Name), 0, 0, 0, 0], Cancel)).Single().Type);
        Assert.Equal([4U, 1U], (await client.AskAsync(9, [.. NbdClient.Text(Name), 0, 0, 0, 0], Cancel)).Select(answer => answer.Type));
        Assert.Equal([1U], (await client.AskAsync(9, [.. NbdClient.Text(Name), 0, 0, 0, 1, .. NbdClient.Text("qemu:")], Cancel)).Select(answer => answer.Type));
        await client.GoAsync(Name, isStructured: true, Cancel);
    }

    [Theory]
    [InlineData(1, 0, 0, 512, NotPermitted)]
    [InlineData(4, 0, 0, 512, NotPermitted)]
    [InlineData(6, 0, 0, 512, NotPermitted)]
    [InlineData(8, 0, 512, 0, NotPermitted)]
    [InlineData(3, 0, 0, 0, Invalid)]
    [InlineData(5, 0, 0, 512, Invalid)]
    [InlineData(99, 0, 0, 0, Invalid)]
    [InlineData(0, 0, 999_999, 2, Invalid)]
    [InlineData(0, 0, 1_000_000, 1, Invalid)]
    [InlineData(0, 0, -1, 100, Invalid)]
    [InlineData(0, 0, 0, 0, Invalid)]
    [InlineData(0, 0, 0, uint.MaxValue, Invalid)]
    [InlineData(0, 4, 0, 512, Invalid)]
    [InlineData(7, 0, 0, uint.MaxValue, Invalid)]
    public async Task What_a_disk_does_not_do_is_an_error_of_that_command(int command, int flags, long offset, long length, uint error)
    {
        foreach (bool isStructured in new[] { false, true })
        {
            using NbdClient client = await GoAsync(isStructured);
            await client.SendAsync((ushort)command, 1, unchecked((ulong)offset), (uint)length, Cancel, (ushort)flags);
            if (command == 1)
            {
                await client.WriteAsync(new byte[length], Cancel);
            }

            if (isStructured)
            {
                (ushort type, byte[] data) = Assert.Single(await client.ReadPartsAsync(1, Cancel));
                Assert.Equal(0x8001, type);
                Assert.Equal(error, BinaryPrimitives.ReadUInt32BigEndian(data));
            }
            else
            {
                Assert.Equal((error, 1UL), await client.ReadSimpleAsync(Cancel));
            }

            await client.SendAsync(Read, 2, 5, 5, Cancel);
            Assert.Equal(_disk[5..10], isStructured ? (await client.ReadPartsAsync(2, Cancel)).Single().Data[8..] : await ReadSimpleDataAsync(client, 5));
        }
    }

    [Fact]
    public async Task What_is_damaged_is_an_error_of_the_command_that_asks_for_it()
    {
        _view.DamagedFrom[_id] = 600_000;
        using NbdClient simple = await GoAsync(isStructured: false);
        await simple.SendAsync(Read, 1, 500_000, 150_000, Cancel);
        Assert.Equal((Io, 1UL), await simple.ReadSimpleAsync(Cancel));
        await simple.SendAsync(Read, 2, 500_000, 100_000, Cancel);
        Assert.Equal(_disk[500_000..600_000], await ReadSimpleDataAsync(simple, 100_000));

        using NbdClient structured = await GoAsync(isStructured: true);
        await structured.SendAsync(Read, 3, 0, 1_000_000, Cancel);
        List<(ushort Type, byte[] Data)> parts = await structured.ReadPartsAsync(3, Cancel);
        Assert.Equal([1, 2, 0x8002], parts.Select(part => part.Type));
        Assert.Equal(Io, BinaryPrimitives.ReadUInt32BigEndian(parts[^1].Data));
        Assert.Equal(397_312UL, BinaryPrimitives.ReadUInt64BigEndian(parts[^1].Data.AsSpan(^8)));
        Assert.Contains("The test has damaged", Encoding.UTF8.GetString(parts[^1].Data), StringComparison.Ordinal);

        _view.Failure = MemoryView.Away();
        await structured.SendAsync(BlockStatus, 4, 0, 1000, Cancel);
        Assert.Equal(0x8001 + 1, (await structured.ReadPartsAsync(4, Cancel)).Single().Type);
        _view.Failure = null;
        await structured.SendAsync(BlockStatus, 5, 0, 1000, Cancel);
        Assert.Equal(5, (await structured.ReadPartsAsync(5, Cancel)).Single().Type);
        Assert.NotEmpty(_reported);
    }

    [Fact]
    public async Task Many_commands_at_once_on_several_connections_are_all_answered()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using NbdClient client = await GoAsync(isStructured: false);
            for (int i = 0; i < 100; i++)
            {
                await client.SendAsync(Read, (ulong)i, (ulong)i * 7000, 300, Cancel);
            }

            await client.SendAsync(2, 0, 0, 0, Cancel);
            var seen = new HashSet<ulong>();
            for (int i = 0; i < 100; i++)
            {
                (uint error, ulong cookie) = await client.ReadSimpleAsync(Cancel);
                Assert.Equal(0U, error);
                Assert.True(seen.Add(cookie));
                Assert.Equal(_disk[((int)cookie * 7000)..(((int)cookie * 7000) + 300)], await client.ReadAsync(300, Cancel));
            }

            Assert.True(await client.IsEndedAsync(Cancel));
        }));
    }

    [Fact]
    public async Task Whatever_is_said_the_server_goes_on_for_others()
    {
        byte[][] sound =
        [
            [.. NbdClient.Number(3U), .. "IHAVEOPT"u8, .. NbdClient.Number(8U), 0, 0, 0, 0, .. "IHAVEOPT"u8, .. NbdClient.Number(7U), .. NbdClient.Number((uint)Name.Length + 6), .. NbdClient.Text(Name), 0, 0,
                .. NbdClient.Number(0x25609513U), 0, 0, 0, 0, .. NbdClient.Number(1UL), .. NbdClient.Number(0UL), .. NbdClient.Number(512U)],
            [.. NbdClient.Number(1U), .. "IHAVEOPT"u8, .. NbdClient.Number(10U), .. NbdClient.Number((uint)Name.Length + 27), .. NbdClient.Text(Name), .. NbdClient.Number(1U), .. NbdClient.Text("base:allocation")],
        ];
        var mutator = new Mutator(new Random(20_261_130));
        for (int i = 0; i < Campaign.Rounds(usual: 500, full: 20_000, brief: 100); i++)
        {
            using NbdClient hostile = await NbdClient.ConnectAsync(_server.Address, Cancel, flags: i % 2 == 0 ? 3U : 0xffff_ffff);
            byte[] said = mutator.Mutate(sound[i % 2], sound[(i + 1) % 2]);
            try
            {
                await hostile.WriteAsync(said[Math.Min(4, said.Length)..Math.Min(said.Length, 4096)], Cancel);
            }
            catch (IOException)
            {
                // The server has had enough of it.
            }
        }

        using NbdClient client = await GoAsync(isStructured: false);
        await client.SendAsync(Read, 1, 0, 100, Cancel);
        Assert.Equal(_disk[..100], await ReadSimpleDataAsync(client, 100));
    }

    [Fact]
    public void Options_are_read_or_refused_whatever_their_lengths_say()
    {
        byte[] info = [.. NbdClient.Text("name"), 0, 2, 0, 3, 0, 1];
        byte[] queries = [.. NbdClient.Text("name"), .. NbdClient.Number(2U), .. NbdClient.Text("base:allocation"), .. NbdClient.Text("base:")];
        Assert.True(NbdOptionData.TryReadInfo(info, out NbdInfoRequest request) && request is { WantsBlockSize: true, WantsName: true });
        Assert.True(NbdOptionData.TryReadQueries(queries, out NbdQueries read) && read is { Count: 2, AsksForAllocation: true, AsksForNamespace: true });
        var mutator = new Mutator(new Random(20_261_130));
        for (int i = 0; i < 5000; i++)
        {
            byte[] input = mutator.Mutate(info, queries);
            if (NbdOptionData.TryReadInfo(input, out request))
            {
                Assert.InRange(request.Export.Length, 0, input.Length);
            }

            if (NbdOptionData.TryReadQueries(input, out read))
            {
                Assert.InRange(read.Count, 0U, (uint)input.Length);
            }
        }
    }

    [Fact]
    public async Task A_client_that_is_none_is_left()
    {
        using NbdClient flags = await NbdClient.ConnectAsync(_server.Address, Cancel, flags: 0x100);
        Assert.True(await flags.IsEndedAsync(Cancel));

        using NbdClient magic = await NbdClient.ConnectAsync(_server.Address, Cancel);
        await magic.WriteAsync(new byte[16], Cancel);
        Assert.True(await magic.IsEndedAsync(Cancel));

        using NbdClient command = await GoAsync(isStructured: false);
        await command.WriteAsync(new byte[28], Cancel);
        Assert.True(await command.IsEndedAsync(Cancel));

        using NbdClient write = await GoAsync(isStructured: false);
        await write.SendAsync(1, 1, 0, uint.MaxValue, Cancel);
        Assert.True(await write.IsEndedAsync(Cancel));
    }

    [Fact]
    public async Task A_socket_is_this_accounts_alone_has_no_secret_and_goes_with_the_server()
    {
        string path = _folder["disk.sock"];
        NbdServer server = Start(new NbdOptions { SocketPath = path });
        await using (server)
        {
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            }

            using NbdClient client = await NbdClient.ConnectAsync(server.Address, Cancel);
            Assert.Equal([2U, 1U], (await client.AskAsync(3, [], Cancel)).Select(answer => answer.Type));
            await client.GoAsync("", isStructured: true, Cancel);

            BackupException taken = Assert.Throws<BackupException>(() => Start(new NbdOptions { SocketPath = path }));
            Assert.Equal(BackupErrorId.ServerAddressTaken, taken.Id);
        }

        Assert.False(File.Exists(path));
        Assert.Equal(BackupErrorId.ServerAddressRefused, Assert.Throws<BackupException>(() => Start(new NbdOptions { SocketPath = _folder["none/sock"] })).Id);
        Assert.Equal(BackupErrorId.ServerAddressRefused, Assert.Throws<BackupException>(() => Start(new NbdOptions { SocketPath = _folder[new string('s', 200)] })).Id);
    }

    [Fact]
    public void Only_a_file_with_content_is_a_disk()
    {
        var view = new MemoryView();
        view.File(1, "unread", [], EntryFlags.Unreadable);

        Assert.Equal(BackupErrorId.RestoreItemFailed, Assert.Throws<BackupException>(() => NbdServer.Start(view, view.Root, new NbdOptions())).Id);
        BackupException unread = Assert.Throws<BackupException>(() => NbdServer.Start(view, view.Item(2), new NbdOptions()));
        Assert.Equal(BackupErrorId.RestoreItemFailed, unread.Id);
    }

    private static async Task<byte[]> ReadSimpleDataAsync(NbdClient client, int length)
    {
        Assert.Equal(0U, (await client.ReadSimpleAsync(Cancel)).Error);
        return await client.ReadAsync(length, Cancel);
    }

    private NbdServer Start(NbdOptions options) => NbdServer.Start(_view, _view.Item(_id), options with
    {
        Report = failure =>
        {
            lock (_reported)
            {
                _reported.Add(failure);
            }
        },
    });

    private async Task<NbdClient> GoAsync(bool isStructured)
    {
        NbdClient client = await NbdClient.ConnectAsync(_server.Address, Cancel);
        await client.GoAsync(Name, isStructured, Cancel);
        return client;
    }
}
