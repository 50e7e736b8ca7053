using System.Buffers.Binary;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Mounts;

/// <summary>What the kernel is answered, byte by byte.</summary>
public sealed class FuseServerTests : IDisposable
{
    private const int NotFound = 2;
    private const int InputOutput = 5;
    private const int NotImplemented = 38;

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Fact]
    public async Task The_beginning_agrees_on_a_version_and_on_what_both_can()
    {
        (FuseServer server, FuseAnswer answer) = await ServeAsync();
        byte[] init = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(init, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 44);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(12), uint.MaxValue);

        Assert.Equal(0, await server.AnswerAsync(Request(FuseOperation.Init, 0, init), answer, Cancel));
        byte[] told = answer.Finish(7, 0).ToArray();
        Assert.Equal(FuseAnswer.HeaderLength + 64, told.Length);
        Assert.Equal(7u, BinaryPrimitives.ReadUInt32LittleEndian(told.AsSpan(16)));
        Assert.Equal(31u, BinaryPrimitives.ReadUInt32LittleEndian(told.AsSpan(20)));

        // Reading folders with what each item is; no opening of files; larger requests.
        Assert.Equal((1u << 13) | (1 << 17) | (1 << 22), BinaryPrimitives.ReadUInt32LittleEndian(told.AsSpan(28)) & ((1u << 13) | (1 << 17) | (1 << 22)));

        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 8);
        Assert.Equal(95, await server.AnswerAsync(Request(FuseOperation.Init, 0, init), answer, Cancel));
    }

    [Fact]
    public async Task Whatever_is_asked_is_answered_or_refused()
    {
        _backups.Tree.Populate(2);
        if (Shell.IsLinuxRoot)
        {
            _backups.Tree.Device("device", UnixFileKind.BlockDevice, 4095, 1_000_000);
        }

        (FuseServer server, FuseAnswer answer) = await ServeAsync();
        var random = new Random(3);
        int[] known = [0, NotFound, InputOutput, NotImplemented, 6, 22, 34, 61, 95];

        for (int round = 0; round < 20_000; round++)
        {
            byte[] body = new byte[random.Next(70)];
            random.NextBytes(body);
            ulong item = random.Next(3) == 0 ? (ulong)random.NextInt64() : random.Next(2) == 0 ? (ulong)random.Next(8) : (1UL << 40) + (ulong)random.Next(80);
            int? error = await server.AnswerAsync(Request((FuseOperation)random.Next(60), item, body), answer, Cancel);

            if (error is { } number)
            {
                Assert.Contains(number, known);
                Assert.InRange(answer.Finish(1, number).Length, FuseAnswer.HeaderLength, FuseAnswer.HeaderLength + FuseServer.MostRead);
            }
        }
    }

    [Fact]
    public void A_request_that_is_shorter_than_it_says_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new FuseRequest(new byte[39]).Item);
        byte[] longer = Request(FuseOperation.Read, 1, []);
        BinaryPrimitives.WriteInt32LittleEndian(longer, 41);
        Assert.Throws<ArgumentException>(() => new FuseRequest(longer).Item);
        Assert.Equal(0u, new FuseRequest(Request(FuseOperation.Read, 1, [])).Number(16));
    }

    private static byte[] Request(FuseOperation operation, ulong item, byte[] body)
    {
        byte[] request = new byte[FuseRequest.HeaderLength + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), (uint)operation);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(16), item);
        body.CopyTo(request, FuseRequest.HeaderLength);
        return request;
    }

    private async Task<(FuseServer Server, FuseAnswer Answer)> ServeAsync()
    {
        _backups.Tree.File("file", 100_000);
        await _backups.BackUpAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        IItemView view = await (await vault.IndexAsync(Cancel)).OpenViewAsync(await vault.GetPointAsync("latest", null, Cancel), new ViewOptions(), Cancel);
        return (new FuseServer(view, new FuseOwner(0, 0), hasAccessLists: true, (_, _) => { }), new FuseAnswer(FuseServer.MostRead));
    }
}
