using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Views;

/// <summary>A source of a recovery point, in a view.</summary>
/// <param name="Number">Its number in the view, from 1.</param>
/// <param name="Manifest">What it holds.</param>
/// <param name="Point">The point that it is of.</param>
/// <param name="Root">What the point says of it.</param>
internal sealed record ViewSource(int Number, ManifestView Manifest, RecoveryPoint Point, RecoveryPointSource Root)
{
    /// <summary>How its names are to be read.</summary>
    public PathForm Form => Root.Form;
}

/// <summary>
/// A place in a view that is there because sources are below it, or because one begins there: the folders of <c>/home</c> and <c>/home/a</c>. One caller at a time
/// may change it.
/// </summary>
internal sealed class ViewLead(ulong id, ReadOnlyMemory<byte> name, ManifestEntry entry)
{
    private readonly OrderedDictionary<EntryPath, ViewLead> _below = [];

    /// <summary>Its number in the view.</summary>
    public ulong Id => id;

    /// <summary>Its name in the folder that it is in.</summary>
    public ReadOnlyMemory<byte> Name => name;

    /// <summary>What it is.</summary>
    public ManifestEntry Entry { get; set; } = entry;

    /// <summary>The source that begins here, or within which it lies; null where there is none.</summary>
    public ViewSource? Source { get; set; }

    /// <summary>Where in that source.</summary>
    public EntryPath Within { get; set; }

    /// <summary>The leads directly in it, in order.</summary>
    public IList<ViewLead> Below => _below.Values;

    /// <summary>Whether a source begins here.</summary>
    public bool IsBeginning { get; set; }

    /// <summary>How the names in it are to be read.</summary>
    public PathForm Form { get; set; }

    /// <summary>The id of the point that it stands for, or is of; null above all points.</summary>
    public SessionId? PointId { get; set; }

    /// <summary>That point, once somebody has looked into it.</summary>
    public RecoveryPoint? Point { get; set; }

    /// <summary>The lead in it that has a name; null where none has.</summary>
    public ViewLead? Find(EntryPath child) => _below.GetValueOrDefault(child);

    /// <summary>Where a lead stands in it; -1 where it does not.</summary>
    public int IndexOf(ViewLead lead) => _below.IndexOf(new EntryPath(lead.Name.ToArray()));

    /// <summary>Puts a lead into it.</summary>
    public void Add(ViewLead lead) => _below.Add(new EntryPath(lead.Name.ToArray()), lead);

    /// <summary>Takes all out that are not wanted.</summary>
    public void Keep(Func<ViewLead, bool> isWanted)
    {
        for (int i = _below.Count - 1; i >= 0; i--)
        {
            if (!isWanted(_below.GetAt(i).Value))
            {
                _below.RemoveAt(i);
            }
        }
    }
}
