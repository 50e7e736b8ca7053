using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>What this machine remembers of its vault, for the time in which the vault does not answer: when it last did, and how its subscription stood.</summary>
/// <param name="VaultId">Of which vault: of another one nothing is known.</param>
/// <param name="Last">When it was opened last, by this machine's clock.</param>
/// <param name="Subscription">How the subscription stood when that was last known.</param>
internal sealed record ContactState(string VaultId, DateTimeOffset Last, VaultSubscription Subscription = VaultSubscription.Active);

/// <summary>The file of that. It is worth no failure: where it cannot be read, nothing is remembered, and where it cannot be written, the next contact is.</summary>
/// <param name="folder">The machine's state.</param>
/// <param name="clock">This machine's clock.</param>
/// <param name="fileName">The file, relative to the state.</param>
internal sealed class ContactLog(StateFolder folder, TimeProvider clock, string fileName = "contact.json")
{
    // Days are counted: not every job has to write.
    private static readonly TimeSpan _precision = TimeSpan.FromHours(1);

    private readonly StateFile<ContactState> _file = new(folder, fileName, StateJson.Default.ContactState, "delete it: it only says when the vault last answered");

    /// <summary>What is remembered of a vault; null for nothing.</summary>
    public ContactState? Read(string vaultId)
    {
        try
        {
            return _file.Read() is { } known && known.VaultId == vaultId ? known : null;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.StateInvalid or BackupErrorId.StateAccessDenied)
        {
            return null;
        }
    }

    /// <summary>Notes that a vault has answered just now.</summary>
    /// <param name="vaultId">Which.</param>
    /// <param name="subscription">How its subscription stands; null where nobody has asked.</param>
    public void Note(string vaultId, VaultSubscription? subscription)
    {
        DateTimeOffset now = clock.GetUtcNow();
        ContactState? known = Read(vaultId);
        VaultSubscription stands = subscription ?? known?.Subscription ?? VaultSubscription.Active;
        if (known is null || known.Subscription != stands || (now - known.Last).Duration() >= _precision)
        {
            Write(new ContactState(vaultId, now.ToUniversalTime(), stands));
        }
    }

    /// <summary>Begins to count where nothing is known yet, as after an update of the program.</summary>
    public ContactState Begin(string vaultId)
    {
        if (Read(vaultId) is { } known)
        {
            return known;
        }

        var begun = new ContactState(vaultId, clock.GetUtcNow().ToUniversalTime());
        Write(begun);
        return begun;
    }

    private void Write(ContactState state)
    {
        try
        {
            try
            {
                _file.Update(_ => state);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
            {
                folder.Update(fileName, _ => null);
                _file.Update(_ => state);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateAccessDenied)
        {
            // Whoever may only read this machine's state may look into its vault all the same. Jobs write here, and notice by themselves.
        }
    }
}
