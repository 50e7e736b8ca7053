using System.Globalization;
using MSOnlineBackup.Agent.Contact;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>
/// Whether the machines of a group may back up, by how its places of copies stand: the original's server stops where its cloud has been silent for long, or is not paid for
/// (<see cref="ContactTable"/>). What is remembered is this machine's; under Open a place is asked only where that gives reason.
/// </summary>
/// <param name="group">The group.</param>
/// <param name="state">This machine's state.</param>
/// <param name="folder">The folder of it that is there for groups.</param>
/// <param name="places">Opens places.</param>
/// <param name="limits">The profile.</param>
/// <param name="clock">The clock.</param>
internal sealed class GroupContact(ProtectionGroup group, StateFolder state, string folder, GroupPlaces places, PolicyLimits limits, TimeProvider clock)
{
    /// <summary>Refuses a run where the profile does.</summary>
    /// <returns>What somebody should see to where it does not.</returns>
    /// <exception cref="BackupException">VaultContactLost, SubscriptionExpired, SubscriptionDeprovisioned: nothing was begun.</exception>
    public async Task<IReadOnlyList<BackupException>> AdmitAsync(CancellationToken cancellationToken)
    {
        var warnings = new List<BackupException>();
        foreach (string place in group.CopyTo)
        {
            ContactLog log = LogOf(place);
            if (!IsDoubtful(log.Begin(place)) && limits != PolicyLimits.Mars)
            {
                continue;
            }

            BackupException? failure = await AskAsync(place, cancellationToken).ConfigureAwait(false);
            ContactState now = log.Begin(place);
            switch (ContactTable.Decide(limits, IsLost(now), now.Subscription, VaultOperation.BackUpToDisk))
            {
                // By our own table a disk is not to blame for its cloud: the copy tells what is wrong with that.
                case ContactVerdict.Stop when limits == PolicyLimits.Mars:
                    throw SubscriptionErrors.OfBackup(now.Subscription, place, failure) ?? Lost(place, now, failure);
                case ContactVerdict.Warn:
                    warnings.Add(Lost(place, now, failure));
                    break;
            }
        }

        return warnings;
    }

    /// <summary>Notes that a place has taken copies, or why it does not.</summary>
    /// <param name="place">The place.</param>
    /// <param name="failure">Why it does not; null where it has.</param>
    public void Note(string place, BackupException? failure)
    {
        if (failure?.Id switch
        {
            null => VaultSubscription.Active,
            BackupErrorId.SubscriptionExpired or BackupErrorId.VaultAccountDisabled => VaultSubscription.Expired,
            BackupErrorId.SubscriptionDeprovisioned => VaultSubscription.Deprovisioned,
            _ => (VaultSubscription?)null,
        } is { } subscription)
        {
            state.MakeFolder(folder);
            LogOf(place).Note(place, subscription);
        }
    }

    // Null where it has answered; what it said is noted.
    private async Task<BackupException?> AskAsync(string place, CancellationToken cancellationToken)
    {
        try
        {
            LogOf(place).Note(place, await places.ReadSubscriptionAsync(place, cancellationToken).ConfigureAwait(false));
            return null;
        }
        catch (BackupException e)
        {
            Note(place, e);
            return e;
        }
    }

    private ContactLog LogOf(string place) => new(state, clock, Path.Combine(folder, $"{MachineId.Of(group.VaultId, place)}.contact"));

    private bool IsDoubtful(ContactState known) => IsLost(known) || known.Subscription != VaultSubscription.Active;

    private bool IsLost(ContactState known) => ContactTable.IsLost(known.Last, clock.GetUtcNow());

    private BackupException Lost(string place, ContactState known, BackupException? cause) => new(
        BackupErrorId.VaultContactLost,
        string.Create(
            CultureInfo.InvariantCulture,
            $"This server has had no contact with '{place}', where the group '{group.Name}' is copied to, for {Math.Floor((clock.GetUtcNow() - known.Last).TotalDays):0} days, since {known.Last.UtcDateTime:u}. The profile {limits.Name} {(limits == PolicyLimits.Mars ? "stops the group's backups then; recoveries are never stopped for it" : "goes on backing up to the disks")}.")
            + (cause is null ? "" : $" The last try: {cause.Message}"),
        "Put right what keeps this server from it, or take it out of the group: Set-OBProtectionGroup -CopyTo. With the first contact, backups go on by themselves.",
        place,
        transient: true,
        innerException: cause);
}
