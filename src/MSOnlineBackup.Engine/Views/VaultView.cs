using System.Globalization;
using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// All recovery points of a vault as a tree of files: a folder for each machine, in it one for each point, named by its time, and <c>latest</c>, a link to the newest.
/// Points that come and go while it is open show up, and do not.
/// </summary>
internal sealed class VaultView : ItemView
{
    private static readonly TimeSpan _lasts = TimeSpan.FromSeconds(15);
    private static readonly byte[] _latest = "latest"u8.ToArray();

    private readonly ChunkStore _store;
    private readonly MachineId? _machine;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _filling = new(1);
    private readonly Dictionary<MachineId, ViewLead> _machines = [];
    private readonly Dictionary<(MachineId Machine, SessionId Session), ViewLead> _points = [];
    private readonly Dictionary<ulong, PointName> _unread = [];
    private long? _listed;

    /// <summary>Opens it; nothing is read yet.</summary>
    /// <param name="store">The store, with its index.</param>
    /// <param name="machine">Only points of this machine; null for all.</param>
    /// <param name="options">How much is kept.</param>
    public VaultView(ChunkStore store, MachineId? machine, ViewOptions options)
        : base(store, options) => (_store, _machine, _clock) = (store, machine, store.Vault.Options.TimeProvider);

    /// <inheritdoc/>
    public override TimeSpan Lasts(ulong folder) => folder == RootLead.Id || IsMachine(folder) ? _lasts : TimeSpan.MaxValue;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _filling.Dispose();
    }

    private protected override async ValueTask FillAsync(ViewLead lead, CancellationToken cancellationToken)
    {
        if (lead == RootLead || IsMachine(lead.Id))
        {
            await ListAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (IsUnread(lead.Id))
        {
            await ReadAsync(lead, cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[] NameOf(SessionId session) => Encoding.ASCII.GetBytes(
        session.Announced is { } time ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH-mm-ss'Z'", CultureInfo.InvariantCulture) : session.ToShortString());

    // A machine may be called anything; a folder may not.
    private static byte[] NameOf(string machine) => Encoding.UTF8.GetBytes(
        machine is "" or "." or ".." ? $"machine {machine}" : machine.Replace('/', '_').Replace('\0', '_'));

    private bool IsMachine(ulong lead)
    {
        bool isMachine = false;
        Change(() => isMachine = _machines.Values.Any(machine => machine.Id == lead));
        return isMachine;
    }

    private bool IsUnread(ulong lead)
    {
        bool isUnread = false;
        Change(() => isUnread = _unread.ContainsKey(lead));
        return isUnread;
    }

    private async ValueTask ListAsync(CancellationToken cancellationToken)
    {
        await _filling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_listed is { } before && _clock.GetElapsedTime(before) < _lasts)
            {
                return;
            }

            List<PointName> names = await new RecoveryPointCatalog(_store).ListNamesAsync(_machine, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<MachineRecord> machines = await new MachineDirectory(_store.Vault).ListAsync(cancellationToken).ConfigureAwait(false);
            if (_listed is not null)
            {
                // Points that have come since name chunks that have come since.
                await _store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
            }

            ILookup<MachineId, string> called = machines.ToLookup(machine => _store.Header.MachineId(machine.First ?? machine.Name), machine => machine.Name);
            Change(() => Show(names, id => called[id].FirstOrDefault() ?? id.ToString()[..12]));
            _listed = _clock.GetTimestamp();
        }
        finally
        {
            _filling.Release();
        }
    }

    private void Show(List<PointName> names, Func<MachineId, string> nameOf)
    {
        foreach (IGrouping<MachineId, PointName> ofMachine in names.GroupBy(name => name.MachineId))
        {
            if (!_machines.TryGetValue(ofMachine.Key, out ViewLead? machine))
            {
                machine = Place(RootLead, NameOf(nameOf(ofMachine.Key)), ofMachine.Key.ToString(), default);
                _machines.Add(ofMachine.Key, machine);
            }

            foreach (PointName name in ofMachine.OrderBy(name => name.SessionId).Where(name => !_points.ContainsKey((name.MachineId, name.SessionId))))
            {
                ItemTime time = name.SessionId.Announced is { } announced ? ItemTime.From(announced) : default;
                ViewLead lead = Place(machine, NameOf(name.SessionId), name.SessionId.ToShortString(), time);
                lead.PointId = name.SessionId;
                _points.Add((name.MachineId, name.SessionId), lead);
                _unread.Add(lead.Id, name);
            }

            PointName newest = ofMachine.MaxBy(name => name.SessionId);
            SetLatest(machine, _points[(newest.MachineId, newest.SessionId)]);
        }

        var there = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        foreach (((MachineId, SessionId) key, ViewLead gone) in _points.Where(point => !there.Contains(point.Key)).ToList())
        {
            _points.Remove(key);
            _unread.Remove(gone.Id);
            _machines[key.Item1].Keep(lead => lead != gone);
        }

        foreach ((MachineId id, ViewLead machine) in _machines.Where(machine => !there.Any(point => point.MachineId == machine.Key)).ToList())
        {
            _machines.Remove(id);
            RootLead.Keep(lead => lead != machine);
        }
    }

    // Where a name is taken, what tells the two apart is added.
    private ViewLead Place(ViewLead folder, byte[] name, string distinction, ItemTime time)
    {
        byte[] free = folder.Find(new EntryPath(name)) is null && !name.AsSpan().SequenceEqual(_latest) ? name : [.. name, (byte)'-', .. Encoding.ASCII.GetBytes(distinction)];
        ViewLead lead = NewLead(free, Folder(time));
        folder.Add(lead);
        return lead;
    }

    private void SetLatest(ViewLead machine, ViewLead newest)
    {
        ManifestEntry link = Folder(newest.Entry.Metadata.Modified) with { Kind = EntryKind.SymbolicLink, LinkTarget = newest.Name };
        if (machine.Find(new EntryPath(_latest)) is not { } latest)
        {
            latest = NewLead(_latest, link);
            machine.Add(latest);
        }

        (latest.Entry, latest.PointId) = (link, newest.PointId);
    }

    private async ValueTask ReadAsync(ViewLead lead, CancellationToken cancellationToken)
    {
        await _filling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            PointName? name = null;
            Change(() => name = _unread.TryGetValue(lead.Id, out PointName unread) ? unread : null);
            if (name is not { } wanted)
            {
                return;
            }

            await foreach (PointReading reading in new RecoveryPointCatalog(_store).ReadAsync([wanted], cancellationToken).ConfigureAwait(false))
            {
                await AddAsync(lead, reading.Point ?? throw reading.Damage!, cancellationToken).ConfigureAwait(false);
            }

            Change(() => _unread.Remove(lead.Id));
        }
        finally
        {
            _filling.Release();
        }
    }
}
