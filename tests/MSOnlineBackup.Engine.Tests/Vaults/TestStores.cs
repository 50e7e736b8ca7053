using System.Text;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Vaults;

/// <summary>Chunk stores for tests, without a passphrase in the way.</summary>
internal static class TestStores
{
    /// <summary>A test that hangs fails after this long; nothing else depends on it.</summary>
    public static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    private static readonly byte[] _master = TestKeys.Bytes(3, StoreKeys.MasterKeyLength);

    public static StoreId Store => TestKeys.StoreId;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The owner of every vault of these tests.</summary>
    public static OwnerKey Owner { get; } = OwnerKey.Create();

    public static VaultHeader Header { get; } = new()
    {
        Format = VaultHeader.SupportedFormat,
        VaultId = Convert.ToHexStringLower(TestKeys.VaultId),
        Copy = new string('c', 32),
        Created = new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero),
        Owner = Owner.Identity.Encode(),
    };

    /// <summary>A record that the owner has signed.</summary>
    public static byte[] Signed(string name, string body) => RecordEnvelope.Sign(Owner, Header.VaultId, name, Encoding.UTF8.GetBytes(body));

    /// <summary>What a record says, whoever proves it.</summary>
    public static string BodyOf(byte[] record)
    {
        Assert.True(RecordEnvelope.TrySplit(record, out ReadOnlySpan<byte> body, out _));
        return Encoding.UTF8.GetString(body);
    }

    /// <summary>The key of a chunk store that nobody made.</summary>
    public static UnlockedKey KeyOf(char store) => new(StoreId.Parse(new string(store, 32)), new string('0', 32), new byte[StoreKeys.MasterKeyLength]);

    public static Task<ChunkStore> OpenAsync(IVaultStore objects) => TestVault.OpenStoreAsync(objects, Header, Store, _master, Cancel);

    public static Task<WriteSession> BeginAsync(ChunkStore store, int workers = 2, int verifyOneIn = 16) =>
        WriteSession.BeginAsync(
            store,
            new SessionAnnouncement(store, new SessionRecord { MachineId = null, Started = TimeProvider.System.GetUtcNow(), AgentVersion = "1" }),
            new TransferCounters(),
            workers,
            verifyOneIn,
            Cancel);

    /// <summary>Stores content in a session of its own, durably.</summary>
    public static async Task<ChunkId[]> StoreAsync(ChunkStore store, ChunkKind kind, params byte[][] contents)
    {
        await using WriteSession session = await BeginAsync(store);
        var ids = new List<ChunkId>();
        foreach (byte[] content in contents)
        {
            ids.Add(await session.Chunks.WriteAsync(kind, content, Cancel));
        }

        await session.FlushAsync(Cancel);
        return [.. ids];
    }

    /// <summary>Hands over content the way files are: named by the worker.</summary>
    public static async Task<Task<ChunkId>> SubmitAsync(ChunkWriter writer, byte[] content)
    {
        byte[] buffer = await writer.RentBufferAsync();
        content.CopyTo(buffer, 0);
        var name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        await writer.SubmitAsync(buffer, content.Length, name);
        return name.Task;
    }

    /// <summary>What all packs of all stores hold, by their footers, whatever any index says.</summary>
    public static async Task<List<(string Pack, PackedChunk Chunk)>> ReadFootersAsync(ChunkStore store)
    {
        var found = new List<(string, PackedChunk)>();
        await foreach (StoredObject pack in store.Objects.ListAsync(VaultLayout.Packs(store.StoreId), Cancel))
        {
            Assert.True(VaultLayout.TryParseNumbered(pack.Name, out SessionId session, out uint number));
            foreach (PackedChunk chunk in (await store.ReadFooterAsync(pack, session, number, Cancel)).Chunks)
            {
                found.Add((pack.Name, chunk));
            }
        }

        return found;
    }
}
