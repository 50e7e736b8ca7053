using System.Globalization;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// What every view has: leads, and below them the entries of sources. An item's number is that of its lead, or of its source and its place in the source's manifest; so
/// a view need not remember what it has shown, however much that was.
/// </summary>
internal abstract class ItemView : IItemView
{
    private const int OrdinalBits = 40;
    private const ulong OrdinalMask = (1UL << OrdinalBits) - 1;
    private const int MostSources = (1 << 23) - 1;
    private const int OpenFiles = 128;

    private readonly ChunkStore _store;
    private readonly ViewOptions _options;
    private readonly ManifestBlocks _blocks;
    private readonly ContentCache _contents;
    private readonly List<ViewLead> _leads = [];
    private readonly List<ViewSource> _sources = [];
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<ulong, ViewedFile> _files = [];

    // Whoever reads many small files does so in their order, and they lie in the vault in that order.
    private ulong _readLast;

    // What follows is looked for again once half of it has been read.
    private (ulong From, ulong Until) _foreseen;

    private protected ItemView(ChunkStore store, ViewOptions options)
    {
        (_store, _options, _blocks, _contents) = (store, options, new ManifestBlocks(store, options.MetadataBytes), new ContentCache(store, options));
        NewLead(default, Folder(default));
    }

    /// <inheritdoc/>
    public ViewItem Root => ItemOf(RootLead);

    private protected ViewLead RootLead => _leads[0];

    /// <inheritdoc/>
    public async ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken)
    {
        if (LeadOf(id) is { } lead)
        {
            return ItemOf(lead);
        }

        (ViewSource source, long ordinal) = SourceOf(id);
        return ItemOf(source, new PlacedEntry(ordinal, await source.Manifest.GetAsync(ordinal, cancellationToken).ConfigureAwait(false)));
    }

    /// <inheritdoc/>
    public async ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        // Nobody's names: where they are looked for, it is by mistake.
        if (name.IsEmpty || name.Span.ContainsAny((byte)'/', (byte)0) || name.Span is [(byte)'.'] or [(byte)'.', (byte)'.'])
        {
            return null;
        }

        (ViewLead? lead, ViewSource? source, EntryPath path) = await OpenFolderAsync(folder, cancellationToken).ConfigureAwait(false);
        if (lead is not null)
        {
            lock (_gate)
            {
                if (lead.Find(new EntryPath(name.ToArray())) is { } below)
                {
                    return ItemOf(below);
                }
            }
        }

        return source is null || await source.Manifest.FindAsync(path.Append(name.Span), cancellationToken).ConfigureAwait(false) is not { } found
            ? null
            : ItemOf(source, found);
    }

    /// <inheritdoc/>
    public async ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        (ViewLead? lead, ViewSource? source, EntryPath path) = await OpenFolderAsync(folder, cancellationToken).ConfigureAwait(false);
        var items = new List<ViewItem>();
        HashSet<EntryPath> leads = [];
        if (lead is not null)
        {
            lock (_gate)
            {
                // One that is gone meanwhile was the last that was had: nothing says what came before it, and all that is there is listed.
                int next = after == 0 ? 0 : LeadOf(after) is { } last ? lead.IndexOf(last) + 1 : lead.Below.Count;
                items.AddRange(lead.Below.Skip(next).Take(most).Select(ItemOf));
                leads = [.. lead.Below.Select(below => new EntryPath(below.Name.ToArray()))];
                if (next + items.Count < lead.Below.Count)
                {
                    return new ViewPage(items, null, IsLast: false);
                }
            }
        }

        if (source is null || items.Count == most)
        {
            return new ViewPage(items, null, IsLast: source is null);
        }

        long? ordinal = after > OrdinalMask ? SourceOf(after).Ordinal : null;
        BackupException? damage = null;
        PlacedPage page;
        do
        {
            page = await source.Manifest.ListAsync(path, ordinal, most - items.Count, cancellationToken).ConfigureAwait(false);
            damage ??= page.Damage;
            foreach (PlacedEntry placed in page.Entries)
            {
                ordinal = placed.Ordinal;
                if (leads.Count == 0 || !leads.Contains(new EntryPath(placed.Entry.Path.Name.ToArray())))
                {
                    items.Add(ItemOf(source, placed));
                }
            }
        }
        while (items.Count == 0 && !page.IsLast);

        return new ViewPage(items, damage, page.IsLast);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        await (await OpenAsync(id, cancellationToken).ConfigureAwait(false)).ReadAsync(offset, destination, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken) =>
        await (await OpenAsync(id, cancellationToken).ConfigureAwait(false)).SeekAsync(offset, isHole, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken) =>
        await (await OpenAsync(id, cancellationToken).ConfigureAwait(false)).MeasureAsync(offset, most, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public virtual TimeSpan Lasts(ulong folder) => TimeSpan.MaxValue;

    /// <inheritdoc/>
    public virtual void Dispose() => _contents.Dispose();

    /// <summary>Is asked before what a lead holds is looked at.</summary>
    private protected virtual ValueTask FillAsync(ViewLead lead, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>A folder that nothing but a view knows.</summary>
    private protected static ManifestEntry Folder(ItemTime time) => new()
    {
        Path = EntryPath.Root,
        Kind = EntryKind.Directory,
        Metadata = new EntryMetadata { Mode = 0x16d, Modified = time, Changed = time },
    };

    private protected ViewLead NewLead(ReadOnlyMemory<byte> name, ManifestEntry entry)
    {
        lock (_gate)
        {
            var lead = new ViewLead((ulong)_leads.Count + 1, name, entry);
            _leads.Add(lead);
            return lead;
        }
    }

    /// <summary>Changes what leads hold, while nobody looks.</summary>
    private protected void Change(Action change)
    {
        lock (_gate)
        {
            change();
        }
    }

    /// <summary>Shows the sources of a point below a lead, each at the place where a restore would put it.</summary>
    private protected async Task AddAsync(ViewLead top, RecoveryPoint point, CancellationToken cancellationToken)
    {
        var time = ItemTime.From(point.Created ?? point.Ended);
        Change(() => Belongs(top, point));
        foreach (RecoveryPointSource root in point.Sources.OrderBy(source => SourcePath.ToTarget(source)))
        {
            ViewSource source = NewSource(point, root);
            ManifestEntry entry = await BeginningOfAsync(source, time, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                ViewLead lead = top;
                foreach (Range part in Split(SourcePath.ToTarget(root)))
                {
                    var name = new EntryPath(SourcePath.ToTarget(root).Bytes[part].ToArray());
                    ViewLead? below = lead.Find(name);
                    if (below is null)
                    {
                        // Within another source: what that has beside it is shown as well.
                        below = Belongs(NewLead(name.Bytes.ToArray(), Folder(time)), point);
                        (below.Source, below.Within) = (lead.Source, lead.Source is null ? EntryPath.Root : lead.Within.Append(name.Bytes));
                        lead.Add(below);
                    }

                    lead = below;
                }

                (lead.Source, lead.Within, lead.Entry, lead.IsBeginning, lead.Form) = (source, EntryPath.Root, entry, true, root.Form);
            }
        }
    }

    private static ViewLead Belongs(ViewLead lead, RecoveryPoint point)
    {
        (lead.PointId, lead.Point, lead.Form) = (point.SessionId, point, point.Form);
        return lead;
    }

    // Of a source that cannot be read, the others show nothing: it is a folder, and whoever looks into it is told.
    private static async ValueTask<ManifestEntry> BeginningOfAsync(ViewSource source, ItemTime time, CancellationToken cancellationToken)
    {
        try
        {
            return source.Manifest.Count == 0 ? Folder(time) : await source.Manifest.GetAsync(0, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return Folder(time);
        }
    }

    private static List<Range> Split(EntryPath path)
    {
        var parts = new List<Range>();
        if (!path.IsRoot)
        {
            foreach (Range part in path.Bytes.Split((byte)'/'))
            {
                parts.Add(part);
            }
        }

        return parts;
    }

    private static BackupException NotFound(ulong id) => new(
        BackupErrorId.RecoverableItemNotFound,
        "The item is not there any more.",
        "List its folder again.",
        id.ToString(CultureInfo.InvariantCulture));

    private ViewSource NewSource(RecoveryPoint point, RecoveryPointSource root)
    {
        lock (_gate)
        {
            // More than any vault has sources; the lookups of years would be needed.
            ArgumentOutOfRangeException.ThrowIfEqual(_sources.Count, MostSources);
            var source = new ViewSource(_sources.Count + 1, new ManifestView(_blocks, root.Manifest), point, root);
            _sources.Add(source);
            return source;
        }
    }

    private ViewLead? LeadOf(ulong id)
    {
        lock (_gate)
        {
            return id > OrdinalMask ? null : id >= 1 && id <= (ulong)_leads.Count ? _leads[(int)id - 1] : throw NotFound(id);
        }
    }

    private (ViewSource Source, long Ordinal) SourceOf(ulong id)
    {
        lock (_gate)
        {
            ulong number = id >> OrdinalBits;
            long ordinal = (long)(id & OrdinalMask);
            return number >= 1 && number <= (ulong)_sources.Count && ordinal < _sources[(int)number - 1].Manifest.Count
                ? (_sources[(int)number - 1], ordinal)
                : throw NotFound(id);
        }
    }

    private async ValueTask<(ViewLead? Lead, ViewSource? Source, EntryPath Path)> OpenFolderAsync(ulong folder, CancellationToken cancellationToken)
    {
        if (LeadOf(folder) is { } lead)
        {
            await FillAsync(lead, cancellationToken).ConfigureAwait(false);
            return (lead, lead.Entry.Kind == EntryKind.Directory ? lead.Source : null, lead.Within);
        }

        (ViewSource source, long ordinal) = SourceOf(folder);
        ManifestEntry entry = await source.Manifest.GetAsync(ordinal, cancellationToken).ConfigureAwait(false);
        return (null, entry.Kind == EntryKind.Directory ? source : null, entry.Path);
    }

    private static ViewItem ItemOf(ViewLead lead) => new(lead.Id, lead.Name, lead.Entry, lead.Form, lead.Id)
    {
        PointId = lead.PointId,
        Point = lead.Point,
        Source = lead.IsBeginning ? lead.Source!.Root : null,
    };

    private static ViewItem ItemOf(ViewSource source, PlacedEntry placed)
    {
        ulong id = ((ulong)source.Number << OrdinalBits) | (ulong)placed.Ordinal;
        return new ViewItem(id, placed.Entry.Path.Name.ToArray(), placed.Entry, source.Form, FileNumber.Of(source.Number, placed.Entry) ?? id)
        {
            PointId = source.Point.SessionId,
            Point = source.Point,
            Source = source.Root,
        };
    }

    private async ValueTask<ViewedFile> OpenAsync(ulong id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_files.Remove(id, out ViewedFile? open))
            {
                _files.Add(id, open);
                return open;
            }
        }

        ViewItem item = await GetAsync(id, cancellationToken).ConfigureAwait(false);
        if (!item.Entry.IsRestorable())
        {
            throw item.Entry.Unrestorable(item.ShownName);
        }

        if (item.Entry.Kind != EntryKind.File)
        {
            throw new BackupException(BackupErrorId.RestoreItemFailed, $"'{item.ShownName}' is not a file: only files are read.", "Name a file.", item.ShownName);
        }

        var file = new ViewedFile(item.Entry, _contents, _store, _options);
        ulong before;
        lock (_gate)
        {
            _files[id] = file;
            if (_files.Count > OpenFiles)
            {
                _files.RemoveAt(0);
            }

            (before, _readLast) = (_readLast, id);
        }

        if (id > OrdinalMask && id > before && id - before <= 64 && !IsForeseen(id))
        {
            await ForeseeNextAsync(id, cancellationToken).ConfigureAwait(false);
        }

        return file;
    }

    private bool IsForeseen(ulong id)
    {
        lock (_gate)
        {
            return id >= _foreseen.From && id < _foreseen.Until;
        }
    }

    // The contents of the files that follow, as far as their entries are at hand.
    private async ValueTask ForeseeNextAsync(ulong id, CancellationToken cancellationToken)
    {
        (ViewSource source, long ordinal) = SourceOf(id);
        var seen = new HashSet<ChunkId>();
        long next = ordinal;
        try
        {
            for (long bytes = 0; next < Math.Min(ordinal + 256, source.Manifest.Count) && bytes < _options.AheadBytes / 2 && seen.Count < 8; next++)
            {
                ManifestEntry entry = await source.Manifest.GetAsync(next, cancellationToken).ConfigureAwait(false);
                foreach (ContentSlice slice in entry.Content.Slices.Take(4))
                {
                    if (slice.Chunk is { } chunk && seen.Add(chunk))
                    {
                        _contents.Foresee(chunk);
                    }

                    bytes += slice.Length;
                }
            }
        }
        catch (BackupException)
        {
            // It is told when it is needed.
        }

        lock (_gate)
        {
            _foreseen = (id, id + Math.Max(1, (ulong)(next - ordinal) / 2));
        }
    }
}
