using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which sessions a chunk store tells of, and how each stands, by one listing.</summary>
internal sealed class CollectionView
{
    private readonly Dictionary<string, DateTimeOffset> _lastSign = new(StringComparer.Ordinal);
    private readonly HashSet<string> _records = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pointed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _machines = new(StringComparer.Ordinal);

    private CollectionView()
    {
    }

    /// <summary>The sessions that have a record.</summary>
    public IReadOnlySet<string> Recorded => _records;

    /// <summary>Those whose end was said.</summary>
    public IReadOnlySet<string> Ended => _ended;

    /// <summary>The checkpoints.</summary>
    public List<StoredObject> Checkpoints { get; } = [];

    /// <summary>The packs, by session and number.</summary>
    public HashSet<(string Session, uint Number)> Packs { get; } = [];

    /// <summary>The machines that have points, or commits.</summary>
    public IReadOnlySet<string> Machines => _machines;

    /// <summary>Commits whose points are not in the listing: lost, or kept from us.</summary>
    public List<(string MachineId, string SessionId)> CommitsWithoutPoint { get; } = [];

    /// <summary>Lists a store.</summary>
    public static async Task<CollectionView> TakeAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var view = new CollectionView();
        var commits = new List<(string MachineId, string SessionId)>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Store(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            string last = found.Name[(found.Name.LastIndexOf('/') + 1)..];
            switch (VaultLayout.KindOf(found.Name, out _))
            {
                case StoredKind.Session:
                    view._records.Add(last);
                    view.NoteSign(last, found);
                    break;
                case StoredKind.SessionEnd:
                    view._ended.Add(Path.ChangeExtension(last, null));
                    break;
                case StoredKind.Point when VaultLayout.TryParsePoint(found.Name, out string? machine, out string? session):
                    view._pointed.Add(session);
                    view._machines.Add(machine);
                    break;
                case StoredKind.Commit when VaultLayout.TryParsePoint(found.Name, out string? machine, out string? session):
                    commits.Add((machine, session));
                    view._machines.Add(machine);
                    break;
                case StoredKind.Pack when VaultLayout.TryParseNumbered(found.Name, out string? session, out uint number):
                    view.Packs.Add((session, number));
                    view.NoteSign(session, found);
                    break;
                case StoredKind.Segment when VaultLayout.TryParseNumbered(found.Name, out string? session, out _):
                    view.NoteSign(session, found);
                    break;
                case StoredKind.Checkpoint when VaultLayout.TryParseNumbered(found.Name, out string? session, out _):
                    view.Checkpoints.Add(found);
                    view.NoteSign(session, found);
                    break;
            }
        }

        view.CommitsWithoutPoint.AddRange(commits.Where(commit => !view._pointed.Contains(commit.SessionId)));
        return view;
    }

    /// <summary>Whether nothing can come of a session any more: it has made its point, was shut out, has said that it ended, or was over when its record was removed.</summary>
    public bool IsOver(string session) => _ended.Contains(session) || _pointed.Contains(session) || !_records.Contains(session);

    /// <summary>The sessions that are not over.</summary>
    public IEnumerable<string> Open => _records.Where(session => !IsOver(session));

    /// <summary>When a session last created something that bears its id, by the store's clock.</summary>
    public DateTimeOffset LastSignOf(string session) => _lastSign[session];

    /// <summary>Notes that a session was shut out.</summary>
    public void NoteShutOut(string session) => _ended.Add(session);

    private void NoteSign(string session, StoredObject found)
    {
        if (!_lastSign.TryGetValue(session, out DateTimeOffset last) || found.Created > last)
        {
            _lastSign[session] = found.Created;
        }
    }
}
