using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Vaults.Verification;

/// <summary>The newest point of each machine, by names alone, and what follows from it for sessions.</summary>
/// <param name="names">The names of all points, newest first.</param>
internal sealed class NewestPoints(IReadOnlyList<PointName> names)
{
    // Newest first: the first of each machine is its newest.
    private readonly ILookup<MachineId, SessionId> _sessions = names.ToLookup(name => name.MachineId, name => name.SessionId);

    /// <summary>The session of a machine's newest point; null where it has none.</summary>
    public SessionId? Of(MachineId machineId) => _sessions[machineId].Select(session => (SessionId?)session).FirstOrDefault();

    /// <summary>Which sessions are newer than the newest point of their machine, newest first.</summary>
    /// <param name="sessions">Sessions without a point.</param>
    public IReadOnlyList<UnfinishedSession> FindUnfinished(IEnumerable<SessionRecord> sessions)
    {
        var unfinished = new List<UnfinishedSession>();
        foreach (SessionRecord session in sessions)
        {
            if (session.MachineId is { } machine && (Of(machine) is not { } newest || session.SessionId > newest))
            {
                unfinished.Add(new UnfinishedSession(session.SessionId, machine, session.Started));
            }
        }

        unfinished.Sort((x, y) => y.SessionId.CompareTo(x.SessionId));
        return unfinished;
    }
}
