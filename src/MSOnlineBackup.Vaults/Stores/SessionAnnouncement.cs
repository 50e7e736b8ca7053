using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;


namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// What a job says of itself in the vault: that it has begun, under an id that is higher than all before, perhaps anew under another one, and, where it makes
/// no point, that nobody needs to wait for it.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="record">What is announced.</param>
internal sealed class SessionAnnouncement(ChunkStore store, SessionRecord record)
{
    // A small object; whoever stopped the job waits for it.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly List<SessionId> _given = [];
    private SessionId? _id;

    /// <summary>When it began, by this machine's clock.</summary>
    public DateTimeOffset Started => record.Started;

    /// <summary>The machine that is backed up, where it became known only after the job began.</summary>
    public MachineId? Machine { get; set; } = record.MachineId;

    /// <summary>
    /// Whether the creation of its point was begun. From then on only the name of the point tells whether there will be one: what was sent may still arrive.
    /// </summary>
    public bool MayHavePoint { get; set; }

    /// <summary>Creates a record of the session. Returns its id.</summary>
    /// <param name="highest">The highest id so far: <see cref="SessionOrder.FindHighestAsync"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<SessionId> AnnounceAsync(SessionId? highest, CancellationToken cancellationToken)
    {
        var id = SessionId.Create(record.Started, highest);
        _id = id;
        SessionRecord announced = record with { VaultId = store.Header.VaultId, StoreId = store.StoreId, SessionId = id, MachineId = Machine };
        byte[] content = CheckedJson.Encode(announced, SessionJson.Default.SessionRecord);
        await store.Objects.TryCreateAsync(VaultLayout.Session(store.StoreId, id), content, cancellationToken).ConfigureAwait(false);
        _given.Add(id);
        return id;
    }

    /// <summary>Says that nothing comes of the ids that were given up for another. Once the point is made, and nothing more is written under them.</summary>
    public async Task EndGivenUpAsync(CancellationToken cancellationToken)
    {
        foreach (SessionId given in _given.Where(given => given != _id))
        {
            await store.Objects.TryCreateAsync(VaultLayout.SessionEnd(store.StoreId, given), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says that this session will make no point: nothing is written under its id any more.</summary>
    public async Task EndAsync(CancellationToken cancellationToken) =>
        await store.Objects.TryCreateAsync(VaultLayout.SessionEnd(store.StoreId, _id!.Value), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Says that the session has ended after a failure or a stop, as far as the vault takes it within some seconds. Where it was not announced, or may have a
    /// point after all, or the vault is away, nothing is said: the next point of the machine, or a collector, settles that.
    /// </summary>
    /// <param name="failure">Why there is no point.</param>
    /// <param name="clock">The clock.</param>
    /// <returns>Why the vault could not be told; null where there is nothing to say of it.</returns>
    public async Task<Exception?> TryEndAsync(Exception failure, TimeProvider clock)
    {
        if (_id is null || MayHavePoint || failure is BackupException { Id: BackupErrorId.VaultUnreachable or BackupErrorId.VaultNotFound })
        {
            return null;
        }

        using var late = new CancellationTokenSource(_patience, clock);
        try
        {
            // A folder on a server that hangs does not mind being cancelled.
            await EndAsync(late.Token).WaitAsync(late.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e)
        {
            // Whatever it is, the failure that came first is what the job ends with.
            return e;
        }
    }
}
