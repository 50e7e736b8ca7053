using System.Text;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Tests.RecoveryPoints;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>A vault in memory with one recovery point, made by hand: what is in it is known to the byte.</summary>
internal sealed class RestoreFixture : IAsyncDisposable
{
    private readonly VaultHeader _header;
    private readonly UnlockedKey _unlocked;
    private readonly ChunkStore _store;
    private readonly WriteSession _session;
    private readonly SortedDictionary<EntryPath, ManifestEntry> _entries = [];

    private uint _lastMadePack = 1_000;

    private RestoreFixture(MemoryVaultStore objects, VaultHeader header, UnlockedKey unlocked, ChunkStore store, WriteSession session)
    {
        _store = store;
        Objects = objects;
        _header = header;
        _unlocked = unlocked;
        _session = session;
    }

    public MemoryVaultStore Objects { get; }

    /// <summary>What the files of the source hold, by their path.</summary>
    public Dictionary<EntryPath, byte[]> Contents { get; } = [];

    /// <summary>What stops a restore.</summary>
    public CancellationToken Stop { get; set; } = Cancel;

    public List<SkippedItem> Skipped { get; } = [];

    public IReadOnlyCollection<ManifestEntry> Entries => _entries.Values;

    /// <summary>What restores take for now.</summary>
    public FakeClock Clock { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<RestoreFixture> CreateAsync()
    {
        var objects = new MemoryVaultStore();
        VaultHeader header = await VaultHeader.PrepareAsync(objects, TimeProvider.System, Cancel);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header, iterations: 1000)).CreateStoreAsync("a passphrase that is long", Cancel);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, Cancel);
        return new RestoreFixture(objects, header, unlocked, store, await BeginAsync(store));
    }

    public async ValueTask DisposeAsync() => await _session.DisposeAsync();

    public Task<ChunkStore> OpenAsync(IVaultStore? objects = null) =>
        TestVault.OpenStoreAsync(objects ?? Objects, _header, _unlocked.StoreId, _unlocked.MasterKey, Cancel);

    /// <summary>Another writer of the same store, which knows only what is flushed.</summary>
    public async Task<WriteSession> BeginOtherAsync() => await BeginAsync(await OpenAsync());

    public async Task<ChunkId> StoreAsync(byte[] content) => await _session.Chunks.WriteAsync(ChunkKind.Content, content, Cancel);

    /// <summary>A chunk as a codec that errs leaves it: sealed under the name of some bytes, it gives others.</summary>
    public async Task<ChunkId> StoreWronglyAsync(byte[] named, byte[] given)
    {
        ChunkId id = _store.Identity.Compute(ChunkKind.Content, named);
        using var pack = new PackBuilder(_store.Keys, PackKind.Data, new byte[1 << 20]);
        pack.Append(id, ChunkKind.Content, ChunkEncoding.Raw, given.Length, given);
        ReadOnlyMemory<byte> content = pack.Finish(isFull: false);
        var info = new PackInfo(_session.Id, ++_lastMadePack, PackKind.Data, content.Length, pack.Salt);
        await Objects.TryCreateAsync(_store.NameOf(info), content, Cancel);
        _store.Index.AddPack(info, pack.Chunks);
        return id;
    }

    /// <summary>Closes the open packs, so that what follows goes into others.</summary>
    public Task FlushAsync() => _session.FlushAsync(Cancel);

    public void Folder(string path) => Add(new ManifestEntry
    {
        Path = EntryPath.Parse(path),
        Kind = EntryKind.Directory,
        Metadata = new EntryMetadata { Mode = 0x1ed, Modified = new(0, 1_000_000_000 + path.Length) },
    });

    public ManifestEntry Add(ManifestEntry entry)
    {
        _entries[entry.Path] = entry;
        return entry;
    }

    /// <summary>A file of these pieces: a chunk each, a null for a hole of as many bytes as the number says.</summary>
    public async Task<ManifestEntry> FileAsync(string path, params (byte[]? Content, int Hole)[] pieces)
    {
        var slices = new List<ContentSlice>();
        var whole = new List<byte>();
        foreach ((byte[]? content, int hole) in pieces)
        {
            slices.Add(content is null ? new ContentSlice(null, 0, hole) : new ContentSlice(await StoreAsync(content), 0, content.Length));
            whole.AddRange(content ?? new byte[hole]);
        }

        return AddFile(path, [.. whole], new EntryContent(slices, []));
    }

    public Task<ManifestEntry> FileAsync(string path, string content) => FileAsync(path, (Encoding.UTF8.GetBytes(content), 0));

    public ManifestEntry AddFile(string path, byte[] content, EntryContent slices, EntryMetadata? metadata = null)
    {
        EntryPath place = EntryPath.Parse(path);
        Contents[place] = content;
        return Add(new ManifestEntry
        {
            Path = place,
            Kind = EntryKind.File,
            Size = content.Length,
            Content = slices,
            Metadata = metadata ?? new EntryMetadata { Mode = 0x1a4, Modified = new(0, 1_700_000_000_000_000_000 + path.Length) },
        });
    }

    /// <summary>Many small files in bundles, chunked and sparse ones, duplicates, links and folders.</summary>
    public async Task RandomAsync(int seed, int count)
    {
        var random = new Random(seed);
        List<string> folders = [""];
        Folder("");
        var bundle = new List<byte>();
        var bundled = new List<(string Path, byte[] Content, int Offset)>();
        for (int i = 0; i < count; i++)
        {
            string parent = folders[random.Next(folders.Count)];
            string path = (parent.Length == 0 ? "" : parent + "/") + $"{"abcxyz"[random.Next(6)]}{i}";
            switch (random.Next(10))
            {
                case 0:
                    folders.Add(path);
                    Folder(path);
                    break;
                case 1:
                    Add(new ManifestEntry { Path = EntryPath.Parse(path), Kind = EntryKind.SymbolicLink, LinkTarget = "/etc/passwd"u8.ToArray(), Metadata = new EntryMetadata() });
                    break;
                case 2:
                    await FileAsync(path, [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(3) == 0 ? ((byte[]?)null, random.Next(1, 5000)) : (Bytes(random, random.Next(5) + 1, random.Next(1, 9000)), 0))]);
                    break;
                case 3:
                    await FileAsync(path);
                    break;
                default:
                    byte[] content = Bytes(random, random.Next(256), random.Next(1, 300));
                    bundled.Add((path, content, bundle.Count));
                    bundle.AddRange(content);
                    break;
            }

            if (random.Next(40) == 0)
            {
                await CloseBundleAsync();
            }

            if (random.Next(100) == 0)
            {
                await FlushAsync();
            }
        }

        await CloseBundleAsync();

        async Task CloseBundleAsync()
        {
            if (bundle.Count > 0)
            {
                ChunkId id = await StoreAsync([.. bundle]);
                bundled.ForEach(file => AddFile(file.Path, file.Content, new EntryContent([new ContentSlice(id, file.Offset, file.Content.Length)], [])));
                bundled.Clear();
                bundle.Clear();
            }
        }
    }

    /// <summary>A recovery point of everything added, its source being <c>/src</c>.</summary>
    public async Task<RecoveryPoint> PointAsync(string source = "/src")
    {
        var writer = new ManifestWriter(_session.Chunks, Manifests.Key);
        foreach (ManifestEntry entry in _entries.Values)
        {
            await writer.AddAsync(entry, Cancel);
        }

        ManifestRoot root = await writer.CompleteAsync(Cancel);
        await FlushAsync();
        return new RecoveryPoint
        {
            SessionId = _session.Id,
            MachineId = MachineId.Parse(new string('a', 32)),
            MachineName = "m",
            OperatingSystem = "o",
            AgentVersion = "0",
            Started = default,
            Ended = default,
            Status = RecoveryPointStatus.Completed,
            Sources = [new RecoveryPointSource { Path = source, Form = source.StartsWith('/') ? PathForm.Posix : PathForm.Windows, Manifest = root }],
        };
    }

    /// <summary>Makes the point one of the vault.</summary>
    public Task CommitAsync(RecoveryPoint point) =>
        _session.CommitAsync(point.MachineId, id => RecoveryPointCodec.Encode(point with { SessionId = id }), Cancel);

    /// <summary>Plans and restores.</summary>
    public async Task<(RestorePlan Plan, RestoreResult Result)> RestoreAsync(RestoreRequest request, MemoryTarget target, IVaultStore? objects = null)
    {
        var monitor = new JobMonitor { ItemSkipped = item => { lock (Skipped) { Skipped.Add(item); } } };
        var options = new VaultOptions { Workers = 3, TimeProvider = Clock };
        ChunkStore store = await OpenAsync();
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, Cancel);
        RestorePlan plan = await RestoreWalk.RehearseAsync(store, request, selection, target, monitor, options, Cancel);
        store = await OpenAsync(objects);
        selection = await RestoreSelection.ResolveAsync(request, store, Cancel);
        RestoreResult result = await RestoreWalk.RestoreAsync(store, request, selection, target, monitor, options, Stop);
        Assert.Empty(target.Violations);
        Assert.Equal(0, target.OpenFiles);
        Assert.Equal(result.Skipped, Skipped.Count);
        return (plan, result);
    }

    public static RestoreRequest Request(RecoveryPoint point, RestoreConflict conflict = RestoreConflict.Skip, bool verify = false, params string[] paths) =>
        new() { Point = point, TargetFolder = "memory", Conflict = conflict, Verify = verify, Paths = paths };

    // Few alphabets and few seeds: duplicates happen.
    private static byte[] Bytes(Random random, int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed * 1000).NextBytes(bytes);
        bytes[random.Next(length)] = (byte)random.Next(3);
        return bytes;
    }

    private static Task<WriteSession> BeginAsync(ChunkStore store) => WriteSession.BeginAsync(
        store,
        new SessionAnnouncement(store, new SessionRecord { MachineId = null, AgentVersion = "0", Started = DateTimeOffset.UnixEpoch.AddYears(50) }),
        new TransferCounters(),
        workers: 1,
        verifyOneIn: 0,
        Cancel);
}
