using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Vaults;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A vault in memory and a real folder to back up into it, or sources by script.</summary>
internal sealed class BackupFixture : IDisposable
{
    public const string Passphrase = "a passphrase for tests";
    public const string Machine = "Machine";

    private readonly TempFolder _folder = new();

    public BackupFixture()
    {
        Root = _folder["source"];
        Tree = new SourceTreeBuilder(Root);
        Objects = new MemoryVaultStore(Clock) { Capabilities = new VaultStoreCapabilities(PackSize: 1 << 20, MaxConcurrency: 4) };
    }

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A day ahead of the files, so that none of them has changed just now.</summary>
    public FakeClock Clock { get; } = new(TimeProvider.System.GetUtcNow().AddDays(1));

    public MemoryVaultStore Objects { get; }

    /// <summary>What opens the vault once it was made.</summary>
    public string CurrentPassphrase { get; set; } = Passphrase;

    public SourceTreeBuilder Tree { get; }

    public string Root { get; }

    /// <summary>Sources by the path that is asked for, in place of real ones.</summary>
    public Dictionary<string, FakeSourceTree> Fakes { get; } = [];

    public VaultOptions Options => new()
    {
        TimeProvider = Clock,
        Workers = 2,
        KeyDerivationIterations = 1000,
        IndexCacheFolder = HasIndexCache ? _folder["index"] : null,
        IndexCacheBounds = new IndexCacheBounds { Smallest = 1, MostInMemory = 8 },
    };

    /// <summary>Whether the index, however small, lies in a cache, as that of a great store does.</summary>
    public bool HasIndexCache { get; init; }

    public IReadOnlyList<string> Packs => [.. Objects.Names.Where(name => name.Contains("/packs/", StringComparison.Ordinal))];

    public IReadOnlyList<string> Points => [.. Objects.Names.Where(name => name.Contains("/points/", StringComparison.Ordinal))];

    public static BackupRequest Request(params string[] sources) => new()
    {
        MachineName = Machine,
        Sources = [.. sources.Select(source => new BackupSource.Tree(source, SourceSelection.Everything))],
    };

    /// <summary>A request for these sources, as this fixture has them.</summary>
    public BackupRequest Job(params string[] sources) => Prepare(Request(sources));

    private BackupRequest Prepare(BackupRequest request) => request with
    {
        CheckpointBytes = 4 << 20,
        OpenSource = Fakes.Count == 0 ? null : source => Fakes.TryGetValue(((BackupSource.Tree)source).Path, out FakeSourceTree? fake)
            ? fake
            : throw new BackupException(BackupErrorId.SourceNotFound, $"There is no '{source}'.", "None: a test."),
    };

    /// <summary>The owner of the vault.</summary>
    public KeptOwner Owner { get; } = new();

    /// <summary>Opens the vault, and makes it where it is missing.</summary>
    public async Task<UnlockedVault> OpenAsync(IVaultStore? objects = null, VaultUse? use = null)
    {
        if (Objects.Names.Count == 0)
        {
            await Vault.CreateAsync(Objects, Passphrase, Options, Cancel, Owner.Keep);
        }

        return await TestVault.UnlockAsync(objects ?? Objects, CurrentPassphrase, Options, Cancel, use);
    }

    /// <summary>Backs up: the real folder where nothing else is asked.</summary>
    public async Task<BackupResult> BackUpAsync(BackupRequest? request = null, JobMonitor? monitor = null)
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        return await (await OpenAsync()).BackUpAsync(Prepare(request ?? Request(Root)), monitor ?? new JobMonitor(), Cancel);
    }

    public async Task<BackupException> FailAsync(BackupRequest request) =>
        await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(request).WaitAsync(TestStores.HangGuard, Cancel));

    public async Task<VerifyReport> VerifyAsync(VerifyLevel level = VerifyLevel.Data) =>
        await (await OpenAsync()).VerifyAsync(level, new JobMonitor(), Cancel);

    public async Task<ChunkStore> OpenStoreAsync()
    {
        VaultHeader header = await VaultHeader.ReadAsync(Objects, Cancel);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(Objects, header, Clock, 1000)).UnlockAsync(CurrentPassphrase, Cancel);
        return await TestVault.OpenStoreAsync(Objects, header, unlocked, Cancel);
    }

    /// <summary>Every entry of a point, by its full path.</summary>
    public async Task<Dictionary<string, ManifestEntry>> EntriesAsync(RecoveryPoint point)
    {
        var entries = new Dictionary<string, ManifestEntry>();
        await foreach (RecoverableItem item in (await OpenAsync()).ListItemsAsync(point, null, recursive: true, Cancel))
        {
            entries.Add(item.FullPath, item.Entry);
        }

        return entries;
    }

    /// <summary>The bytes of a file, as the vault has them.</summary>
    public async Task<byte[]> ReadAsync(RecoveryPoint point, string path)
    {
        ChunkStore store = await OpenStoreAsync();
        ManifestEntry entry = (await EntriesAsync(point))[path];
        byte[] content = new byte[entry.Size];
        int position = 0;
        await foreach (ContentSlice slice in new EntryContentReader(store).ReadAsync(entry.Content, Cancel))
        {
            if (slice.Chunk is { } chunk)
            {
                (await store.ReadAsync(ChunkKind.Content, chunk, Cancel)).Slice(slice.Offset, (int)slice.Length).CopyTo(content.AsMemory(position));
            }

            position += (int)slice.Length;
        }

        Assert.Equal(content.Length, position);
        return content;
    }

    public async Task<List<SkippedItem>> SkippedAsync(RecoveryPoint point) =>
        await (await OpenAsync()).ListSkippedAsync(point, Cancel).ToListAsync(Cancel);

    /// <summary>No chunk of content stands in two packs.</summary>
    public async Task AssertNothingStoredTwiceAsync()
    {
        List<(string Pack, PackedChunk Chunk)> content =
            [.. (await TestStores.ReadFootersAsync(await OpenStoreAsync())).Where(found => found.Chunk.Kind == ChunkKind.Content)];
        Assert.Equal(content.Count, content.Select(found => found.Chunk.Id).Distinct().Count());
    }

    public void Dispose() => _folder.Dispose();
}
