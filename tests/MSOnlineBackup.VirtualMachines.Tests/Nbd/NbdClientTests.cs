using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Nbd;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Nbd;

/// <summary>The client of disks, with a real qemu-nbd, and with a server that says what no server says.</summary>
public sealed class NbdClientTests
{
    private const int MiB = 1 << 20;
    private const long Size = 4 * MiB;
    private const string Allocation = "base:allocation";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_of_a_disk_is_read_and_its_holes_are_told()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        using var folder = new TempFolder();
        byte[] content = new byte[40 * MiB];
        RandomNumberGenerator.Fill(content.AsSpan(3 * MiB, 20 * MiB));
        RandomNumberGenerator.Fill(content.AsSpan(30 * MiB, 65536));
        await File.WriteAllBytesAsync(folder["disk.raw"], content, Stop);
        Shell.RunChecked("qemu-img", "convert", "-O", "qcow2", folder["disk.raw"], folder["disk.qcow2"]);
        using Process server = Serve(folder, "disk.qcow2");
        try
        {
            using NbdSourceDisk disk = await NbdSourceDisk.OpenAsync(await WaitAsync(folder), "disk", "disk", null, null, _patience, Stop);

            Assert.Equal(content.Length, disk.Length);
            Assert.Null(disk.Changes);
            var copy = new DiskCopy();
            copy.Take(disk, Vaults.Ids.SessionId.Parse(new string('0', 32)));
            Assert.True(copy.Bytes.SequenceEqual(content));
            Assert.InRange(copy.BytesRead, 20 * MiB, 21 * MiB);
            Assert.Equal(copy.BytesRead, disk.BytesRead);
            byte[] part = new byte[(3 * MiB) + 7];
            disk.Read((2 * MiB) + 3, part);
            Assert.True(part.AsSpan().SequenceEqual(content.AsSpan((2 * MiB) + 3, part.Length)));
            Assert.False(disk.TryGetDataRun(31 * MiB, out _, out _));
        }
        finally
        {
            server.Kill();
        }
    }

    [Fact]
    public async Task A_server_that_is_killed_in_the_midst_is_an_error_of_the_disk()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        using var folder = new TempFolder();
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", folder["disk.qcow2"], "64M");
        using Process server = Serve(folder, "disk.qcow2");
        using NbdSourceDisk disk = await NbdSourceDisk.OpenAsync(await WaitAsync(folder), "disk", "mail/sda", null, null, _patience, Stop);
        byte[] part = new byte[8 * MiB];
        disk.Read(0, part);
        server.Kill();
        await server.WaitForExitAsync(Stop);

        for (int i = 0; i < 2; i++)
        {
            BackupException error = Assert.Throws<BackupException>(() => disk.Read(8 * MiB, part));
            Assert.Equal(BackupErrorId.SourceItemUnreadable, error.Id);
            Assert.Contains("mail/sda", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(BackupErrorId.SourceItemUnreadable, Assert.Throws<BackupException>(() => disk.TryGetDataRun(0, out _, out _)).Id);
    }

    [Fact]
    public async Task There_is_no_disk_of_another_name()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        using var folder = new TempFolder();
        Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", folder["disk.qcow2"], "1M");
        using Process server = Serve(folder, "disk.qcow2");
        try
        {
            string socket = await WaitAsync(folder);
            BackupException error = await Assert.ThrowsAsync<BackupException>(() => NbdClient.ConnectAsync(socket, "other", [Allocation], _patience, Stop));
            Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
        }
        finally
        {
            server.Kill();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public async Task A_disk_of_no_size_is_refused(long size)
    {
        await using SocketServer server = Speak(static (_, _, _) => [], size);

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop));

        Assert.Equal(BackupErrorId.VirtualMachineUnreachable, error.Id);
    }

    [Fact]
    public async Task Answers_may_come_in_parts_and_in_any_order()
    {
        await using SocketServer server = Speak((cookie, offset, length) =>
        [
            .. Data(cookie, offset, length / 2, isLast: false),
            .. Chunk(cookie, 2, isLast: false, [.. Big(offset + (length / 2)), .. Small((int)(length / 4))]),
            .. Data(cookie, offset + (length * 3 / 4), length / 4, isLast: false),
            .. Chunk(cookie, 0, isLast: true, []),
        ]);
        using NbdClient client = await NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop);
        byte[] content = new byte[Size];
        content.AsSpan().Fill(0xcc);

        client.Read(0, content);

        Assert.Equal(Size / 4, content.Count(one => one == 0));
        Assert.Equal(Size * 3 / 4, content.Count(one => one == 0x5a));
    }

    public static TheoryData<string, Func<ulong, long, long, byte[]>> Wrong => new()
    {
        { "no answer", static (_, _, _) => new byte[16] },
        { "of another", static (cookie, offset, length) => Data(cookie + 100, offset, length, isLast: true) },
        { "of an earlier", static (cookie, offset, length) => Data(cookie - 1, offset, length, isLast: true) },
        { "short", static (cookie, offset, length) => Data(cookie, offset, length - 1, isLast: true) },
        { "nothing", static (cookie, _, _) => Chunk(cookie, 0, isLast: true, []) },
        { "long", static (cookie, offset, length) => Data(cookie, offset, length + 1, isLast: true) },
        { "elsewhere", static (cookie, offset, length) => Data(cookie, offset + 1, length, isLast: true) },
        { "before", static (cookie, _, length) => Data(cookie, -5, length, isLast: true) },
        { "huge", static (cookie, _, _) => Head(cookie, 1, isLast: true, uint.MaxValue) },
        { "a hole too long", static (cookie, offset, length) => Chunk(cookie, 2, isLast: true, [.. Big(offset), .. Small((int)length + 1)]) },
        { "an empty hole", static (cookie, offset, _) => Chunk(cookie, 2, isLast: true, [.. Big(offset), .. Small(0)]) },
        { "a hole of no length", static (cookie, offset, _) => Chunk(cookie, 2, isLast: true, Big(offset)) },
        { "of another kind", static (cookie, _, _) => Chunk(cookie, 5, isLast: true, new byte[12]) },
        { "an error without text", static (cookie, _, _) => Chunk(cookie, 0x8001, isLast: true, [0, 0]) },
        { "an error with a false text", static (cookie, _, _) => Chunk(cookie, 0x8001, isLast: true, [0, 0, 0, 5, 255, 255]) },
        { "an endless error", static (cookie, _, _) => Head(cookie, 0x8001, isLast: true, uint.MaxValue) },
        { "twice", static (cookie, offset, length) => [.. Data(cookie, offset, length, isLast: true), .. Data(cookie, offset, length, isLast: true)] },
        { "closed", static (_, _, _) => [] },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task What_is_none_of_what_was_asked_breaks_the_connection(string kind, Func<ulong, long, long, byte[]> answer)
    {
        await using SocketServer server = Speak(answer, closesAfterEmpty: true);
        using NbdClient client = await NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop);

        for (int i = 0; i < 2; i++)
        {
            BackupException error = Assert.Throws<BackupException>(() => client.Read(0, new byte[MiB]));
            Assert.True(error.Id == BackupErrorId.VirtualMachineUnreachable, $"{kind}: {error}");
        }
    }

    [Fact]
    public async Task What_cannot_be_read_is_an_error_of_that_alone()
    {
        bool fails = true;
        await using SocketServer server = Speak((cookie, offset, length) => fails
            ? Chunk(cookie, 0x8001, isLast: true, [0, 0, 0, 5, 0, 4, .. "gone"u8])
            : Data(cookie, offset, length, isLast: true));
        using NbdClient client = await NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop);

        BackupException error = Assert.Throws<BackupException>(() => client.Read(MiB, new byte[MiB]));
        fails = false;
        byte[] content = new byte[MiB];
        client.Read(MiB, content);

        Assert.Equal(BackupErrorId.VirtualMachineCommandFailed, error.Id);
        Assert.Contains("gone", error.Message, StringComparison.Ordinal);
        Assert.Equal(-1, content.AsSpan().IndexOfAnyExcept((byte)0x5a));
    }

    public static TheoryData<string, Func<ulong, byte[]>> WrongStatus => new()
    {
        { "of nothing", static cookie => Chunk(cookie, 5, isLast: true, Small(1)) },
        { "of no length", static cookie => Chunk(cookie, 5, isLast: true, [.. Small(1), .. Small(0), .. Small(0)]) },
        { "of half", static cookie => Chunk(cookie, 5, isLast: true, [.. Small(1), .. Small(512), .. Small(0), 1]) },
        { "of another kind", static cookie => Chunk(cookie, 5, isLast: true, [.. Small(9), .. Small(512), .. Small(0)]) },
        { "endless", static cookie => Head(cookie, 5, isLast: true, 0xffff_fff4) },
        { "none", static cookie => Chunk(cookie, 0, isLast: true, []) },
        { "of another", static cookie => Chunk(cookie + 1, 5, isLast: true, [.. Small(1), .. Small(512), .. Small(0)]) },
        { "bytes", static cookie => Data(cookie, 0, 512, isLast: true) },
    };

    [Theory]
    [MemberData(nameof(WrongStatus), DisableDiscoveryEnumeration = true)]
    public async Task What_tells_in_a_wrong_way_what_is_where_breaks_the_connection(string kind, Func<ulong, byte[]> answer)
    {
        await using SocketServer server = Speak(static (_, _, _) => [], status: answer);
        using NbdClient client = await NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop);

        BackupException error = Assert.Throws<BackupException>(() => client.GetStatus(Allocation, 0, Size));

        Assert.True(error.Id == BackupErrorId.VirtualMachineUnreachable, $"{kind}: {error}");
    }

    [Fact]
    public async Task What_is_told_beyond_what_was_asked_is_left_out()
    {
        await using SocketServer server = Speak(static (_, _, _) => [], status: cookie => Chunk(cookie, 5, isLast: true, [.. Small(1), .. Small(512), .. Small(3), .. Small(int.MaxValue), .. Small(0), .. Small(9), .. Small(9)]));
        using NbdClient client = await NbdClient.ConnectAsync(server.Path, "disk", [Allocation], _patience, Stop);

        Assert.Equal([(512L, 3U), (Size - 512, 0U)], client.GetStatus(Allocation, 0, Size));
    }

    private static Process Serve(TempFolder folder, string image) => Process.Start(
        "qemu-nbd", ["--read-only", "--persistent", "--shared=4", $"--socket={folder["nbd"]}", "--format=qcow2", "--export-name=disk", folder[image]]);

    private static async Task<string> WaitAsync(TempFolder folder)
    {
        while (!Sockets.LocalSocket.IsListening(folder["nbd"]))
        {
            await Task.Delay(5, Stop);
        }

        return folder["nbd"];
    }

    private static byte[] Data(ulong cookie, long offset, long length, bool isLast)
    {
        byte[] content = new byte[length];
        content.AsSpan().Fill(0x5a);
        return Chunk(cookie, 1, isLast, [.. Big(offset), .. content]);
    }

    private static byte[] Chunk(ulong cookie, ushort type, bool isLast, byte[] content) => [.. Head(cookie, type, isLast, (uint)content.Length), .. content];

    private static byte[] Head(ulong cookie, ushort type, bool isLast, uint length)
    {
        byte[] head = new byte[20];
        BinaryPrimitives.WriteUInt32BigEndian(head, 0x668e33ef);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(4), isLast ? (ushort)1 : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(6), type);
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(8), cookie);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(16), length);
        return head;
    }

    private static byte[] Big(long number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Small(int number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    // Negotiates as a server does, and answers reads and questions as it is told.
    private static SocketServer Speak(Func<ulong, long, long, byte[]> read, long size = Size, Func<ulong, byte[]>? status = null, bool closesAfterEmpty = false) => new(async (stream, stop) =>
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes("NBDMAGICIHAVEOPT\0\u0003"), stop);
        byte[] buffer = new byte[28];
        await stream.ReadExactlyAsync(buffer.AsMemory(0, 4), stop);
        int option;
        do
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 16), stop);
            option = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(8));
            await stream.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(12))], stop);
            if (option == 10)
            {
                await stream.WriteAsync(Reply(option, 4, [.. Small(1), .. Encoding.UTF8.GetBytes(Allocation)]), stop);
            }
            else if (option == 7)
            {
                await stream.WriteAsync(Reply(option, 3, [0, 0, .. Big(size), 0, 3]), stop);
            }

            await stream.WriteAsync(Reply(option, 1, []), stop);
        }
        while (option != 7);

        while (true)
        {
            await stream.ReadExactlyAsync(buffer, stop);
            ulong cookie = BinaryPrimitives.ReadUInt64BigEndian(buffer.AsSpan(8));
            byte[] answer = buffer[7] == 0
                ? read(cookie, BinaryPrimitives.ReadInt64BigEndian(buffer.AsSpan(16)), BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(24)))
                : status?.Invoke(cookie) ?? [];
            if (buffer[7] == 2 || (answer.Length == 0 && closesAfterEmpty))
            {
                return;
            }

            await stream.WriteAsync(answer, stop);
        }
    });

    private static byte[] Reply(int option, int answer, byte[] data) => [.. Big(0x0003e889045565a9), .. Small(option), .. Small(answer), .. Small(data.Length), .. data];
}
