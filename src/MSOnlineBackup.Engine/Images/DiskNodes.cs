using System.Globalization;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Images;

/// <summary>The places on disks that a view has shown, by their numbers: as many as are used, up to a bound. One that is shown again has the same number, unless it was forgotten meanwhile. Thread-safe.</summary>
internal sealed class DiskNodes
{
    // About 60 MB. Whoever asks by a number that was forgotten looks for the path again.
    private const int Most = 200_000;

    // Views number their own items below that.
    private const ulong Mark = 1UL << 63;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, LinkedListNode<DiskNode>> _nodes = [];
    private readonly Dictionary<(ulong Parent, EntryPath Name), ulong> _numbers = [];
    private readonly LinkedList<DiskNode> _order = new();
    private ulong _last = Mark;

    /// <summary>Whether a number is that of a place on a disk.</summary>
    public static bool IsOfDisk(ulong id) => id >= Mark;

    /// <summary>The place of a number.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public DiskNode Get(ulong number)
    {
        lock (_gate)
        {
            if (_nodes.TryGetValue(number, out LinkedListNode<DiskNode>? node))
            {
                _order.Remove(node);
                _order.AddLast(node);
                return node.Value;
            }
        }

        throw new BackupException(
            BackupErrorId.RecoverableItemNotFound, "The item is not there any more.", "List its folder again.", number.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The number of a place, which it gets where it has none.</summary>
    public DiskNode Add(ulong parent, ViewItem disk, ReadOnlyMemory<byte> name, ImagePart? part, VolumeItem? item, ReadOnlyMemory<byte> linkTarget, ulong folder = 0)
    {
        (ulong, EntryPath) key = (parent, new EntryPath(name.ToArray()));
        lock (_gate)
        {
            if (_numbers.TryGetValue(key, out ulong number) && _nodes.TryGetValue(number, out LinkedListNode<DiskNode>? there))
            {
                _order.Remove(there);
                _order.AddLast(there);
                return there.Value;
            }

            var node = new DiskNode(++_last, parent, disk, name) { Part = part, Item = item, LinkTarget = linkTarget, Folder = folder };
            _numbers[key] = node.Number;
            _nodes[node.Number] = _order.AddLast(node);
            if (_nodes.Count > Most && _order.First is { } oldest)
            {
                _order.RemoveFirst();
                _nodes.Remove(oldest.Value.Number);
                _numbers.Remove((oldest.Value.Parent, new EntryPath(oldest.Value.Name.ToArray())));
            }

            return node;
        }
    }
}
