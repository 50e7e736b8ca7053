using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>An item of a folder as Windows is shown it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its number in the view: of a link, its own; 0 for what stands for damage.</param>
/// <param name="Info">What it is: of a link, what it leads to.</param>
internal readonly record struct ProjectedEntry(string Name, ulong Id, ProjectedInfo Info);

/// <summary>A folder as Windows is shown it: all its items, in the order of Windows.</summary>
internal sealed class ProjectedFolder
{
    private static readonly long _epoch = DateTime.UnixEpoch.ToFileTimeUtc();

    private readonly List<ProjectedEntry> _entries;
    private readonly IComparer<string> _order;

    private ProjectedFolder(ServedItem item, List<ProjectedEntry> entries, IComparer<string> order) => (Item, _entries, _order) = (item, entries, order);

    /// <summary>The folder.</summary>
    public ServedItem Item { get; }

    /// <summary>Its items, in order.</summary>
    public IReadOnlyList<ProjectedEntry> Entries => _entries;

    /// <summary>Lists a folder. Of one that is damaged, what can be read, and a mark.</summary>
    /// <param name="tree">What it is of.</param>
    /// <param name="item">The folder.</param>
    /// <param name="order">The order of Windows; names that are equal by it are one name.</param>
    /// <param name="trouble">Is told what is damaged.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<ProjectedFolder> ListAsync(
        ServedTree tree, ServedItem item, IComparer<string> order, Action<Exception> trouble, CancellationToken cancellationToken)
    {
        var listing = new FolderListing(tree, item);
        var entries = new List<ProjectedEntry>();
        while (!listing.IsOver)
        {
            foreach (ServedItem served in await listing.NextAsync(cancellationToken).ConfigureAwait(false))
            {
                entries.Add(new ProjectedEntry(ProjectedName.Of(served.Name), served.Id, InfoOf(served)));
            }
        }

        if (listing.Damage is { } damage)
        {
            trouble(damage);
            entries.Add(new ProjectedEntry(DamageMark.Name, 0, new ProjectedInfo(false, 1, _epoch, _epoch, FileAttributes.ReadOnly)));
        }

        Sort(entries, order);
        return new ProjectedFolder(item, entries, order);
    }

    /// <summary>The place of an item in <see cref="Entries"/>; below 0 where there is none by this name.</summary>
    public int IndexOf(string name)
    {
        (int from, int to) = (0, _entries.Count - 1);
        while (from <= to)
        {
            int middle = from + ((to - from) / 2);
            int compared = _order.Compare(_entries[middle].Name, name);
            if (compared == 0)
            {
                return middle;
            }

            (from, to) = compared < 0 ? (middle + 1, to) : (from, middle - 1);
        }

        return ~from;
    }

    /// <summary>The item by a name; null where there is none.</summary>
    public ProjectedEntry? Find(string name) => IndexOf(name) is >= 0 and int index ? _entries[index] : null;

    /// <summary>What an item is. All is only read; nothing is kept of what Windows would do by itself with it (compressed, sparse, offline, …).</summary>
    internal static ProjectedInfo InfoOf(ServedItem served)
    {
        const FileAttributes Shown = FileAttributes.Hidden | FileAttributes.System | FileAttributes.Archive;
        bool isFolder = served.IsFolder;
        FileAttributes kept = (served.Item.Entry.WindowsAttributes ?? 0) & Shown;
        ItemTime written = served.Item.Entry.Metadata.Modified;
        return new ProjectedInfo(
            isFolder,
            isFolder ? 0 : served.Item.Entry.Size,
            TimeOf(served.Item.Entry.Metadata.Created ?? written),
            TimeOf(written),
            kept | (isFolder ? FileAttributes.Directory : FileAttributes.ReadOnly));
    }

    // Windows counts from 1601, and knows nothing before; 0 would be "now".
    private static long TimeOf(ItemTime time) =>
        (long)Int128.Clamp(_epoch + ((Int128)time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick), 1, long.MaxValue);

    // By the order of Windows, and equal ones by their bytes: so the same one has the same number whenever it is listed.
    private static void Sort(List<ProjectedEntry> entries, IComparer<string> order)
    {
        var comparer = Comparer<ProjectedEntry>.Create((one, other) => order.Compare(one.Name, other.Name) is not 0 and int compared ? compared
            : string.CompareOrdinal(one.Name, other.Name) is not 0 and int bytes ? bytes
            : one.Id.CompareTo(other.Id));
        entries.Sort(comparer);
        if (!Enumerable.Range(1, Math.Max(0, entries.Count - 1)).Any(index => order.Compare(entries[index - 1].Name, entries[index].Name) == 0))
        {
            return;
        }

        var taken = new SortedSet<string>(entries.Select(entry => entry.Name), order);
        (string first, int number) = (entries[0].Name, 1);
        for (int index = 1; index < entries.Count; index++)
        {
            string name = entries[index].Name;
            if (order.Compare(first, name) != 0)
            {
                (first, number) = (name, 1);
                continue;
            }

            string numbered;
            do
            {
                numbered = ProjectedName.Numbered(name, ++number);
            }
            while (!taken.Add(numbered));
            entries[index] = entries[index] with { Name = numbered };
        }

        entries.Sort(comparer);
    }
}
