using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>What one peer of a server may do with a vault: everything, unless it is limited to what backups and restores of some machines need.</summary>
/// <remarks>
/// A backup creates its session, then packs, index segments, checkpoints, its point and the point's commit, each under that session, and the end of a session
/// that comes to nothing; and the records and statuses of its machine. It deletes nothing. A peer that is limited may create exactly these, and only under
/// sessions that it began over its own connection: else one machine could end the session of another, or take its names. It reads and lists everything that a
/// vault of this version has, and nothing else that lies there: all of it is sealed, and machines that share a passphrase share chunks.
/// </remarks>
public abstract class PipeAccess
{
    /// <summary>Whatever the vault's store takes: for a peer that could reach the vault without the server just as well.</summary>
    public static PipeAccess Unlimited { get; } = new UnlimitedAccess();

    /// <summary>What backups and restores of some machines need.</summary>
    /// <param name="store">The vault, whose header says what ids names have.</param>
    /// <param name="machines">The names that the machines have in the vault, or had first where they were renamed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">The header cannot be read: there is no vault yet, or it is damaged.</exception>
    public static async Task<PipeAccess> ForMachinesAsync(IVaultStore store, IReadOnlyCollection<string> machines, CancellationToken cancellationToken)
    {
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        return new MachineAccess([.. machines.Select(header.MachineId)]);
    }

    /// <summary>What backups and restores of one machine need.</summary>
    internal static PipeAccess ForMachine(MachineId machine) => new MachineAccess([machine]);

    /// <summary>Whether the peer has begun a session over its connection. Of a peer that is not limited nobody takes notes.</summary>
    internal virtual bool HasBegun(SessionId session) => false;

    /// <summary>Whether the peer may make the place for a new vault.</summary>
    internal abstract bool MayMakeVault { get; }

    /// <summary>Whether listings show the peer an object.</summary>
    internal abstract bool Shows(string name);

    /// <summary>Refuses to read an object, or to say whether it is there.</summary>
    internal abstract void CheckRead(string name);

    /// <summary>Refuses to create an object.</summary>
    internal abstract void CheckCreate(string name);

    /// <summary>Notes that the peer has created an object.</summary>
    internal abstract void NoteCreated(string name);

    /// <summary>Refuses to delete an object.</summary>
    internal abstract void CheckDelete(string name);

    private sealed class UnlimitedAccess : PipeAccess
    {
        internal override bool MayMakeVault => true;

        internal override bool Shows(string name) => true;

        internal override void CheckRead(string name)
        {
        }

        internal override void CheckCreate(string name)
        {
        }

        internal override void NoteCreated(string name)
        {
        }

        internal override void CheckDelete(string name)
        {
        }
    }

    private sealed class MachineAccess(HashSet<MachineId> machines) : PipeAccess
    {
        // Begun over this connection.
        private readonly ConcurrentDictionary<SessionId, bool> _sessions = new();

        internal override bool MayMakeVault => false;

        internal override bool HasBegun(SessionId session) => _sessions.ContainsKey(session);

        // Which other machines a server backs up, and how it logs in there, is none of a machine's business.
        internal override bool Shows(string name) => VaultLayout.KindOf(name, out _) is not (StoredKind.Unknown or StoredKind.Group);

        internal override void CheckRead(string name)
        {
            if (!Shows(name))
            {
                throw PipeErrors.Refused("read", name, "it is no part of the vault that a backup needs");
            }
        }

        internal override void CheckCreate(string name)
        {
            switch (VaultLayout.KindOf(name, out _))
            {
                case StoredKind.Session:
                    break;
                case StoredKind.SessionEnd when VaultLayout.TryParseSessionEnd(LastOf(name), out SessionId ended):
                    CheckSession(name, ended);
                    break;
                case StoredKind.Pack or StoredKind.Segment or StoredKind.Checkpoint when VaultLayout.TryParseNumbered(name, out SessionId session, out _):
                    CheckSession(name, session);
                    break;
                case StoredKind.Point or StoredKind.Commit when VaultLayout.TryParsePoint(name, out MachineId of, out SessionId session):
                    CheckMachine(name, of);
                    CheckSession(name, session);
                    break;
                case StoredKind.Machine when MachineId.TryParse(name.Split('/')[1], out MachineId described):
                    CheckMachine(name, described);
                    break;
                case StoredKind.Status when VaultLayout.TryParseStatus(name, out MachineId of, out _, out _):
                    CheckMachine(name, of);
                    break;
                default:
                    throw PipeErrors.Refused("create", name, "no backup needs it");
            }
        }

        internal override void NoteCreated(string name)
        {
            if (VaultLayout.KindOf(name, out _) == StoredKind.Session && SessionId.TryParse(LastOf(name), out SessionId session))
            {
                _sessions.TryAdd(session, true);
            }
        }

        internal override void CheckDelete(string name) => throw PipeErrors.Refused("delete", name, "it may only add to the vault");

        private static ReadOnlySpan<char> LastOf(string name) => name.AsSpan(name.LastIndexOf('/') + 1);

        private void CheckMachine(string name, MachineId machine)
        {
            if (!machines.Contains(machine))
            {
                throw PipeErrors.Refused("create", name, "it is of another machine");
            }
        }

        private void CheckSession(string name, SessionId session)
        {
            if (!_sessions.ContainsKey(session))
            {
                throw PipeErrors.ForeignSession(name);
            }
        }
    }
}
