using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Testing;

/// <summary>A recovery point as a machine of Windows writes it, made on any machine.</summary>
public sealed class WindowsPoint
{
    private readonly SortedDictionary<EntryPath, (string? Content, FileAttributes Attributes)> _items =
        new() { [EntryPath.Root] = (null, FileAttributes.Directory) };
    private readonly List<SkippedItem> _skipped = [];

    /// <summary>A folder, and those above it.</summary>
    /// <param name="path">Its path below the root, with '/'.</param>
    /// <param name="attributes">What it is besides a folder.</param>
    public WindowsPoint Folder(string path, FileAttributes attributes = 0)
    {
        EntryPath place = EntryPath.Parse(path);
        if (!place.Parent.IsRoot && !_items.ContainsKey(place.Parent))
        {
            Folder(place.Parent.ToString());
        }

        _items[place] = (null, FileAttributes.Directory | attributes);
        return this;
    }

    /// <summary>A file, and the folders above it.</summary>
    public WindowsPoint File(string path, string content, FileAttributes attributes = FileAttributes.Archive)
    {
        EntryPath place = EntryPath.Parse(path);
        if (!place.Parent.IsRoot && !_items.ContainsKey(place.Parent))
        {
            Folder(place.Parent.ToString());
        }

        _items[place] = (content, attributes);
        return this;
    }

    /// <summary>Something that was skipped.</summary>
    /// <param name="path">Its full path as a point has it.</param>
    public WindowsPoint Skip(string path)
    {
        _skipped.Add(new SkippedItem(path, BackupErrorId.SourceItemUnreadable, "It is locked."));
        return this;
    }

    /// <summary>Makes it the newest point of a vault.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="passphrase">What opens it.</param>
    /// <param name="source">The root's path as a point has it: each backslash twice.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The point's id.</returns>
    public async Task<SessionId> CommitAsync(IVaultStore objects, string passphrase, string source, CancellationToken cancellationToken)
    {
        VaultHeader header = await VaultHeader.ReadAsync(objects, cancellationToken);
        UnlockedKey unlocked = await new KeyRing(TestVault.Of(objects, header)).UnlockAsync(passphrase, cancellationToken);
        ChunkStore store = await TestVault.OpenStoreAsync(objects, header, unlocked.StoreId, unlocked.MasterKey, cancellationToken);
        var record = new SessionRecord { MachineId = header.MachineId("win"), AgentVersion = "0", Started = DateTimeOffset.UnixEpoch.AddYears(56) };
        await using WriteSession session =
            await WriteSession.BeginAsync(store, new SessionAnnouncement(store, record), new TransferCounters(), workers: 1, verifyOneIn: 0, cancellationToken);
        var writer = new ManifestWriter(session.Chunks, store.Keys.ManifestBoundaryKey.Span);
        foreach ((EntryPath path, (string? content, FileAttributes attributes)) in _items)
        {
            await writer.AddAsync(await EntryAsync(path, content, attributes), cancellationToken);
        }

        ManifestRoot manifest = await writer.CompleteAsync(cancellationToken);
        var skipped = new SkippedItemsWriter(session.Chunks);
        foreach (SkippedItem item in _skipped)
        {
            await skipped.AddAsync(item, cancellationToken);
        }

        var point = new RecoveryPoint
        {
            SessionId = session.Id,
            MachineId = header.MachineId("win"),
            MachineName = "win",
            OperatingSystem = "Windows",
            AgentVersion = "0",
            Started = record.Started,
            Ended = record.Started,
            Status = _skipped.Count == 0 ? RecoveryPointStatus.Completed : RecoveryPointStatus.CompletedWithWarnings,
            Sources = [new RecoveryPointSource { Path = source, Form = PathForm.Windows, Manifest = manifest }],
            SkippedCount = _skipped.Count,
            SkippedItems = await skipped.ToChunksAsync(cancellationToken),
        };
        await session.FlushAsync(cancellationToken);
        return await session.CommitAsync(point.MachineId, id => RecoveryPointCodec.Encode(point with { SessionId = id }), cancellationToken);

        async Task<ManifestEntry> EntryAsync(EntryPath path, string? content, FileAttributes attributes)
        {
            byte[] value = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(value, (uint)attributes);
            byte[] bytes = Encoding.UTF8.GetBytes(content ?? "");
            return new ManifestEntry
            {
                Path = path,
                Kind = content is null ? EntryKind.Directory : EntryKind.File,
                Size = bytes.Length,
                Metadata = new EntryMetadata { Modified = new ItemTime(1_700_000_000) },
                Attributes = [new EntryAttribute(AttributeTag.WindowsAttributes, default, value)],
                Content = bytes.Length == 0
                    ? EntryContent.Empty
                    : new EntryContent([new ContentSlice(await session.Chunks.WriteAsync(ChunkKind.Content, bytes, cancellationToken), 0, bytes.Length)], []),
            };
        }
    }
}
