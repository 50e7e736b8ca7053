using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Benchmarks;

/// <summary>
/// A vault in a folder as terabytes would leave it: a real index, and a real point whose manifest names nine tenths of its chunks. The packs of content are files of the right
/// length without anything in them, which take no room. So it can be opened, listed and maintained, but not restored from.
/// </summary>
internal static class GreatVault
{
    private const int PerPack = 32;
    private const int StoredLength = 500_000;
    private const int PerFile = 20;
    private const int FilesPerFolder = 1000;
    private const string Machine = "GREAT";

    /// <summary>Fills a vault that was just created.</summary>
    /// <param name="folder">The vault.</param>
    /// <param name="chunks">How many chunks of content it gets. Every tenth pack is needed by nothing.</param>
    public static async Task FillAsync(string folder, int chunks)
    {
        string passphrase = Environment.GetEnvironmentVariable("PASSPHRASE") ?? throw new InvalidOperationException("PASSPHRASE is not set.");
        var objects = new FolderVaultStore(folder);
        VaultHeader header = await VaultHeader.ReadAsync(objects, CancellationToken.None);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(passphrase, CancellationToken.None);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, CancellationToken.None);
        var record = new SessionRecord { MachineId = header.MachineId(Machine), AgentVersion = "0", Started = TimeProvider.System.GetUtcNow() };
        var writer = SessionId.Create(record.Started, null);
        await using WriteSession session = await WriteSession.BeginAsync(
            store, new SessionAnnouncement(store, record), new TransferCounters(), workers: 1, verifyOneIn: 0, CancellationToken.None);
        for (int first = 0; first < chunks; first += IndexSegment.MaxRecords)
        {
            var packs = new List<(PackInfo, IReadOnlyList<PackedChunk>)>();
            for (int from = first; from < Math.Min(chunks, first + IndexSegment.MaxRecords); from += PerPack)
            {
                packs.Add(MakePack(folder, store, writer, from));
            }

            await session.WriteSegmentAsync(IndexSegment.Encode(packs), CancellationToken.None);
        }

        await CommitAsync(store, session, record, chunks);
    }

    private static (PackInfo Pack, IReadOnlyList<PackedChunk> Chunks) MakePack(string folder, ChunkStore store, SessionId session, int first)
    {
        var pack = new PackInfo(session, (uint)(first / PerPack) + 1, PackKind.Data, 16 << 20, new byte[PackFormat.SaltLength]);
        string path = Path.Combine(folder, store.NameOf(pack).Replace('/', Path.DirectorySeparatorChar));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (FileStream file = File.Create(path))
        {
            file.SetLength(pack.Length);
        }

        return (pack, [.. Enumerable.Range(0, PerPack).Select(i => new PackedChunk(
            Samples.Id(first + i), ChunkKind.Content, ChunkEncoding.Raw, (uint)i, PackFormat.HeaderLength + (i * StoredLength), StoredLength, StoredLength - PackFormat.TagLength))]);
    }

    private static async Task CommitAsync(ChunkStore store, WriteSession session, SessionRecord record, int chunks)
    {
        var manifest = new ManifestWriter(session.Chunks, store.Keys.ManifestBoundaryKey.Span);
        await manifest.AddAsync(Entry("", EntryKind.Directory, []), CancellationToken.None);
        int[] needed = [.. Enumerable.Range(0, chunks).Where(chunk => chunk / PerPack % 10 != 0)];
        for (int file = 0; file * PerFile < needed.Length; file++)
        {
            string name = $"folder-{file / FilesPerFolder:00000}";
            if (file % FilesPerFolder == 0)
            {
                await manifest.AddAsync(Entry(name, EntryKind.Directory, []), CancellationToken.None);
            }

            await manifest.AddAsync(
                Entry($"{name}/file-{file % FilesPerFolder:000}", EntryKind.File, needed.AsSpan(file * PerFile, Math.Min(PerFile, needed.Length - (file * PerFile)))), CancellationToken.None);
        }

        var point = new RecoveryPoint
        {
            SessionId = session.Id,
            MachineId = record.MachineId!.Value,
            MachineName = Machine,
            OperatingSystem = "none",
            AgentVersion = "0",
            Started = record.Started,
            Ended = record.Started,
            Status = RecoveryPointStatus.Completed,
            Sources = [new RecoveryPointSource { Path = "/great", Manifest = await manifest.CompleteAsync(CancellationToken.None) }],
        };
        await session.FlushAsync(CancellationToken.None);
        SessionId id = await session.CommitAsync(point.MachineId, id => RecoveryPointCodec.Encode(point with { SessionId = id }), CancellationToken.None);
        await session.ConfirmAsync(point.MachineId, id, CancellationToken.None);
    }

    private static ManifestEntry Entry(string path, EntryKind kind, ReadOnlySpan<int> chunks)
    {
        var slices = new List<ContentSlice>();
        foreach (int chunk in chunks)
        {
            slices.Add(new ContentSlice(Samples.Id(chunk), 0, StoredLength - PackFormat.TagLength));
        }

        return new ManifestEntry
        {
            Path = new EntryPath(Encoding.UTF8.GetBytes(path)),
            Kind = kind,
            Metadata = new EntryMetadata { Mode = 0x1A4u, Modified = new ItemTime(1_700_000_000) },
            Size = slices.Sum(slice => slice.Length),
            Content = new EntryContent(slices, []),
        };
    }
}
