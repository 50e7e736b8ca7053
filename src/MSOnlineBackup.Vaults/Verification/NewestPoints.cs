using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;


namespace MSOnlineBackup.Vaults.Verification;

/// <summary>The newest point of each machine, by names alone, and what follows from it for sessions.</summary>
/// <param name="names">The names of all points, newest first.</param>
internal sealed class NewestPoints(IReadOnlyList<PointName> names)
{
    // Newest first: the first of each machine is its newest.
    private readonly ILookup<string, string> _sessions = names.ToLookup(name => name.MachineId, name => name.SessionId);

    /// <summary>The session of a machine's newest point; null where it has none.</summary>
    public string? Of(string machineId) => _sessions[machineId].FirstOrDefault();

    /// <summary>Which sessions are newer than the newest point of their machine, newest first.</summary>
    /// <param name="sessions">Sessions without a point.</param>
    public IReadOnlyList<UnfinishedSession> FindUnfinished(IEnumerable<(string SessionId, SessionRecord Record)> sessions)
    {
        var unfinished = new List<UnfinishedSession>();
        foreach ((string session, SessionRecord record) in sessions)
        {
            if (record.MachineId is { } machine && string.CompareOrdinal(session, Of(machine)) > 0)
            {
                unfinished.Add(new UnfinishedSession(session, machine, record.Started));
            }
        }

        unfinished.Sort((x, y) => string.CompareOrdinal(y.SessionId, x.SessionId));
        return unfinished;
    }
}
