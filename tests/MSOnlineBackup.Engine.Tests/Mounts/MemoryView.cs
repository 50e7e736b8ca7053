using System.Text;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Tests.Mounts;

/// <summary>A view of items in memory, in which tests damage what they like.</summary>
internal sealed class MemoryView : IItemView
{
    private readonly List<ViewItem> _items = [];
    private readonly Dictionary<ulong, List<ulong>> _below = [];
    private readonly Dictionary<ulong, byte[]> _contents = [];

    public MemoryView() => Add(0, [], EntryKind.Directory, default, 0);

    /// <summary>The first byte of a file that cannot be read; from there to its end.</summary>
    public Dictionary<ulong, long> DamagedFrom { get; } = [];

    /// <summary>Folders that say that something of them cannot be read.</summary>
    public HashSet<ulong> DamagedFolders { get; } = [];

    /// <summary>What every question is answered with; null for the answer.</summary>
    public BackupException? Failure { get; set; }

    /// <summary>How the names are to be read.</summary>
    public PathForm Form { get; init; } = PathForm.Posix;

    /// <summary>How many pages were asked for.</summary>
    public int Pages { get; private set; }

    /// <summary>The most that was read at a time.</summary>
    public int LargestRead { get; private set; }

    public ViewItem Item(ulong id) => _items[(int)id - 1];

    public ViewItem Root => _items[0];

    public ulong Folder(ulong folder, string name) => Add(folder, Encoding.UTF8.GetBytes(name), EntryKind.Directory, default, 0);

    public ulong File(ulong folder, string name, byte[] content, EntryFlags flags = EntryFlags.None) => File(folder, Encoding.UTF8.GetBytes(name), content, flags);

    public ulong File(ulong folder, byte[] name, byte[] content, EntryFlags flags = EntryFlags.None)
    {
        ulong id = Add(folder, name, EntryKind.File, default, content.Length, flags);
        _contents[id] = content;
        return id;
    }

    public ulong Link(ulong folder, string name, string target) => Add(folder, Encoding.UTF8.GetBytes(name), EntryKind.SymbolicLink, Encoding.UTF8.GetBytes(target), 0);

    public ulong Pipe(ulong folder, string name) => Add(folder, Encoding.UTF8.GetBytes(name), EntryKind.Fifo, default, 0);

    public void Dispose()
    {
    }

    public ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken) => Answer(Item(id));

    public ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken) =>
        Answer(_below[folder].Select(id => _items[(int)id - 1]).FirstOrDefault(item => item.Name.Span.SequenceEqual(name.Span)));

    public ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
    {
        Pages++;
        List<ulong> below = _below[folder];
        int start = after == 0 ? 0 : below.IndexOf(after) + 1;
        List<ViewItem> items = [.. below.Skip(start).Take(most).Select(id => _items[(int)id - 1])];
        bool isLast = start + items.Count == below.Count;
        return Answer(new ViewPage(items, isLast && DamagedFolders.Contains(folder) ? Damage("a block") : null, isLast));
    }

    public ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        LargestRead = Math.Max(LargestRead, destination.Length);
        ReadOnlySpan<byte> content = _contents[id].AsSpan((int)Math.Min(offset, _contents[id].Length));
        int count = Math.Min(content.Length, destination.Length);
        if (offset + count > DamagedFrom.GetValueOrDefault(id, long.MaxValue))
        {
            throw Damage("a chunk");
        }

        content[..count].CopyTo(destination.Span);
        return Answer(count);
    }

    public async ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken)
    {
        long size = _contents[id].Length;
        while (offset < size)
        {
            ViewExtent extent = await MeasureAsync(id, offset, long.MaxValue, cancellationToken);
            if (extent.IsHole == isHole)
            {
                return offset;
            }

            offset += extent.Length;
        }

        return isHole && offset == size ? size : null;
    }

    // A page of zeros is a hole.
    public ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken)
    {
        byte[] content = _contents[id];
        long end = Math.Min(content.Length - offset, most) + offset;
        bool isHole = IsHole(offset);
        long at = offset;
        while (at < end && IsHole(at) == isHole)
        {
            at = (at / 4096 * 4096) + 4096;
        }

        return Answer(new ViewExtent(isHole, Math.Min(at, end) - offset));

        bool IsHole(long place)
        {
            int page = (int)(place / 4096 * 4096);
            return !content.AsSpan(page, Math.Min(4096, content.Length - page)).ContainsAnyExcept((byte)0);
        }
    }

    public TimeSpan Lasts(ulong folder) => TimeSpan.MaxValue;

    public static BackupException Damage(string what) => new(BackupErrorId.VaultDataCorrupt, $"The test has damaged {what}.", "Look elsewhere.");

    public static BackupException Away() => new(BackupErrorId.VaultUnreachable, "The vault is away.", "Wait.", transient: true, retryAfter: TimeSpan.FromSeconds(7));

    private ValueTask<T> Answer<T>(T answer) => Failure is null ? ValueTask.FromResult(answer) : throw Failure;

    private ulong Add(ulong folder, byte[] name, EntryKind kind, byte[]? target, long size, EntryFlags flags = EntryFlags.None)
    {
        ulong id = (ulong)_items.Count + 1;
        var entry = new ManifestEntry
        {
            Path = new EntryPath(name),
            Kind = kind,
            Flags = flags,
            Size = size,
            LinkTarget = target ?? [],
            Metadata = new EntryMetadata { Mode = 0x1a4, Modified = new ItemTime(1_700_000_000, 5), Created = kind == EntryKind.File ? new ItemTime(1_600_000_000) : null },
        };
        _items.Add(new ViewItem(id, name, entry, Form, id));
        if (kind == EntryKind.Directory)
        {
            _below[id] = [];
        }

        if (folder > 0)
        {
            _below[folder].Add(id);
        }

        return id;
    }
}
