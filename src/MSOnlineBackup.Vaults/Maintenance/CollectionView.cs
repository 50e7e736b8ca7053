using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Which sessions a chunk store tells of, and how each stands, by one listing.</summary>
internal sealed class CollectionView
{
    private readonly Dictionary<SessionId, DateTimeOffset> _lastSign = [];
    private readonly HashSet<SessionId> _records = [];
    private readonly HashSet<SessionId> _ended = [];
    private readonly HashSet<SessionId> _pointed = [];
    private readonly HashSet<SessionId> _confirmed = [];
    private readonly HashSet<MachineId> _machines = [];

    private CollectionView()
    {
    }

    /// <summary>The sessions that have a record.</summary>
    public IReadOnlySet<SessionId> Recorded => _records;

    /// <summary>Those whose end was said.</summary>
    public IReadOnlySet<SessionId> Ended => _ended;

    /// <summary>The checkpoints.</summary>
    public List<StoredObject> Checkpoints { get; } = [];

    /// <summary>The objects that are kept twice, where parity is: index segments and points.</summary>
    public List<StoredObject> Twins { get; } = [];

    /// <summary>The names of the second copies that are there.</summary>
    public HashSet<string> Copies { get; } = [];

    /// <summary>The parity.</summary>
    public List<StoredObject> Parity { get; } = [];

    /// <summary>The packs, by session and number.</summary>
    public HashSet<(SessionId Session, uint Number)> Packs { get; } = [];

    /// <summary>The machines that have points, or commits.</summary>
    public IReadOnlySet<MachineId> Machines => _machines;

    /// <summary>Commits whose points are not in the listing: lost, or kept from us.</summary>
    public List<(MachineId MachineId, SessionId SessionId)> CommitsWithoutPoint { get; } = [];

    /// <summary>Lists a store.</summary>
    public static async Task<CollectionView> TakeAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var view = new CollectionView();
        var commits = new List<(MachineId MachineId, SessionId SessionId)>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Store(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            string last = found.Name[(found.Name.LastIndexOf('/') + 1)..];
            switch (VaultLayout.KindOf(found.Name, out _))
            {
                case StoredKind.Session when SessionId.TryParse(last, out SessionId session):
                    view._records.Add(session);
                    view.NoteSign(session, found);
                    break;
                case StoredKind.SessionEnd when SessionId.TryParse(Path.ChangeExtension(last, null), out SessionId session):
                    view._ended.Add(session);
                    break;
                case StoredKind.Copy:
                    view.Copies.Add(found.Name);
                    break;
                case StoredKind.Point when VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session):
                    view.Twins.Add(found);
                    view._pointed.Add(session);
                    view._machines.Add(machine);
                    break;
                case StoredKind.Commit when VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session):
                    commits.Add((machine, session));
                    view._confirmed.Add(session);
                    view._machines.Add(machine);
                    break;
                case StoredKind.Pack when VaultLayout.TryParseNumbered(found.Name, out SessionId session, out uint number):
                    view.Packs.Add((session, number));
                    view.NoteSign(session, found);
                    break;
                case StoredKind.Segment when VaultLayout.TryParseNumbered(found.Name, out SessionId session, out _):
                    view.Twins.Add(found);
                    view.NoteSign(session, found);
                    break;
                case StoredKind.ParityGroup or StoredKind.ParityShards when VaultLayout.TryParseParity(found.Name, out SessionId session, out _, out _):
                    view.Parity.Add(found);
                    view.NoteSign(session, found);
                    break;
                case StoredKind.Checkpoint when VaultLayout.TryParseNumbered(found.Name, out SessionId session, out _):
                    view.Checkpoints.Add(found);
                    view.NoteSign(session, found);
                    break;
            }
        }

        view.CommitsWithoutPoint.AddRange(commits.Where(commit => !view._pointed.Contains(commit.SessionId)));
        return view;
    }

    /// <summary>
    /// Whether nothing can come of a session any more: it has made its point, which may be lost since; was shut out, has said that it ended, or was over when its record was
    /// removed.
    /// </summary>
    public bool IsOver(SessionId session) => HasEnded(session) || !_records.Contains(session);

    /// <summary>Whether something that is there says so.</summary>
    public bool HasEnded(SessionId session) => _ended.Contains(session) || _pointed.Contains(session) || _confirmed.Contains(session);

    /// <summary>Whether the name of its point is taken: by the point, or a fence.</summary>
    public bool HasPoint(SessionId session) => _pointed.Contains(session);

    /// <summary>Whether a commit says that there was a point.</summary>
    public bool IsConfirmed(SessionId session) => _confirmed.Contains(session);

    /// <summary>The sessions that are not over.</summary>
    public IEnumerable<SessionId> Open => _records.Where(session => !IsOver(session));

    /// <summary>Those of them beside one's own.</summary>
    public IReadOnlySet<SessionId> OpenBeside(SessionId own) => Open.Where(session => session != own).ToHashSet();

    /// <summary>When a session last created something that bears its id, by the store's clock.</summary>
    public DateTimeOffset LastSignOf(SessionId session) => _lastSign[session];

    /// <summary>Notes that a session was shut out.</summary>
    public void NoteShutOut(SessionId session) => _ended.Add(session);

    private void NoteSign(SessionId session, StoredObject found)
    {
        if (!_lastSign.TryGetValue(session, out DateTimeOffset last) || found.Created > last)
        {
            _lastSign[session] = found.Created;
        }
    }
}
