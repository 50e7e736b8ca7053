using System.Text.Json;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>Which node is below which: it changes while a machine runs, where somebody makes a snapshot or commits one.</summary>
internal sealed class QemuGraph
{
    private const string File = "file";
    private const string Backing = "backing";

    private readonly Dictionary<(string Node, string Role), string> _below = [];

    private QemuGraph()
    {
    }

    /// <summary>Reads what QEMU says.</summary>
    public static QemuGraph Read(JsonElement said)
    {
        var graph = new QemuGraph();
        var names = new Dictionary<long, string>();
        foreach (JsonElement node in said.Member("nodes").Elements())
        {
            if (node.Text("type") == "block-driver" && node.Number("id") is { } id && node.Text("name") is { } name)
            {
                names[id] = name;
            }
        }

        foreach (JsonElement edge in said.Member("edges").Elements())
        {
            if (edge.Text("name") is { } role && edge.Number("parent") is { } parent && edge.Number("child") is { } child
                && names.TryGetValue(parent, out string? above) && names.TryGetValue(child, out string? below))
            {
                graph._below[(above, role)] = below;
            }
        }

        return graph;
    }

    /// <summary>The node that has the disk below the nodes of a backup: what the guest writes goes there. Null where the backup has none.</summary>
    public string? SourceOf(QemuNames names)
    {
        string? below = _below.GetValueOrDefault((names.Top, File));
        return below == names.Keeper ? _below.GetValueOrDefault((names.Keeper, File)) : below;
    }

    /// <summary>The images that an image is written over, the nearest first.</summary>
    public IEnumerable<string> BackingOf(string node)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { node };
        while (_below.TryGetValue((node, Backing), out string? below) && seen.Add(below))
        {
            yield return node = below;
        }
    }
}
