using System.Globalization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Contact;

/// <summary>How this machine stands with its vault.</summary>
/// <param name="Last">When the vault answered last, by this machine's clock.</param>
/// <param name="IsLost">Whether that is more than 15 days ago.</param>
/// <param name="Subscription">How the vault's subscription stood when that was last known.</param>
public sealed record ContactStatus(DateTimeOffset Last, bool IsLost, VaultSubscription Subscription);

/// <summary>
/// Whether this machine's vault answers, and what follows from it: which backups the profile stops, and what people are told. The vault is asked for it only where what is remembered
/// gives reason; as a rule, the job itself finds out.
/// </summary>
public sealed class VaultContact
{
    private const string Recovery =
        "Run Test-OBConnectivity: it names the step at which contact fails. Put that right; where the vault has moved, or its access has ended, register again with a newer "
        + "credential file (Start-OBRegistration): policies and recovery points stay. With the first contact, which Get-OBVault makes too, backups go on by themselves.";

    private readonly MachineAccount _machine;
    private readonly PolicyLimits _limits;
    private readonly TimeProvider _clock;

    internal VaultContact(MachineAccount machine, PolicyLimits limits, TimeProvider clock)
    {
        _machine = machine;
        _limits = limits;
        _clock = clock;
    }

    /// <summary>How it stands; null where this machine is registered with no vault, or nothing is known yet.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public ContactStatus? Find() => _machine.Registration is { } vault && _machine.Contacts.Read(vault.VaultId) is { } known ? StatusOf(known) : null;

    /// <summary>
    /// What somebody should see to: contact that is lost, or a subscription that is not active; null for nothing. Where something of the kind is remembered, the vault is asked
    /// whether it still holds.
    /// </summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public async Task<VaultAlarm?> FindAlarmAsync(CancellationToken cancellationToken)
    {
        if (_machine.Registration is not { } vault || Find() is not { } before || !IsDoubtful(before))
        {
            return null;
        }

        BackupException? failure = await AskAsync(vault, cancellationToken).ConfigureAwait(false);
        ContactStatus now = Find() ?? before;
        BackupException? why = SubscriptionErrors.OfBackup(now.Subscription, vault.VaultLocation, failure) ?? (now.IsLost ? Lost(vault, now, failure) : null);
        return why is null ? null : new VaultAlarm(why.Id, now.Last, vault.MachineName, why.Message, why.RecommendedAction);
    }

    /// <summary>
    /// Why no backup is to be begun now; null where one may be, which then finds out by itself. The vault is asked only where a reason is remembered: so what is put right is noticed.
    /// </summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    internal async Task<BackupException?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        if (_machine.Registration is not { } vault || !IsDoubtful(StatusOf(_machine.Contacts.Begin(vault.VaultId))))
        {
            return null;
        }

        BackupException? failure = await AskAsync(vault, cancellationToken).ConfigureAwait(false);
        ContactStatus now = StatusOf(_machine.Contacts.Begin(vault.VaultId));
        return Decide(now, vault) != ContactVerdict.Stop ? null : SubscriptionErrors.OfBackup(now.Subscription, vault.VaultLocation, failure) ?? Lost(vault, now, failure);
    }

    /// <summary>Why somebody should see to it, and whether backups are stopped for it; nothing is asked or noted.</summary>
    /// <param name="status">How it stands.</param>
    /// <param name="failure">Why the vault does not answer; null where it does.</param>
    internal (BackupException? Reason, bool IsStopped) Judge(ContactStatus status, BackupException? failure) => _machine.Registration is not { } vault || !IsDoubtful(status)
        ? (null, false)
        : (SubscriptionErrors.OfBackup(status.Subscription, vault.VaultLocation, failure) ?? Lost(vault, status, failure), Decide(status, vault) == ContactVerdict.Stop);

    /// <summary>Notes how the subscription stands: a job has found out.</summary>
    internal void Note(VaultSubscription subscription)
    {
        if (_machine.Registration is { } vault)
        {
            _machine.Contacts.Note(vault.VaultId, subscription);
        }
    }

    /// <summary>What the failure of a backup is, where it comes of lost contact or of the subscription; null where it is what it says.</summary>
    internal BackupException? Explain(BackupException failure)
    {
        if (_machine.Registration is not { } vault)
        {
            return null;
        }

        switch (failure.Id)
        {
            case BackupErrorId.SubscriptionExpired:
                Note(VaultSubscription.Expired);
                return null;
            case BackupErrorId.SubscriptionDeprovisioned:
                Note(VaultSubscription.Deprovisioned);
                return null;
            case BackupErrorId.VaultAccountDisabled:
                Note(VaultSubscription.Expired);
                return SubscriptionErrors.OfBackup(VaultSubscription.Expired, vault.VaultLocation, failure);
            default:
                ContactStatus now = StatusOf(_machine.Contacts.Begin(vault.VaultId));
                return !IsSilence(failure.Id) || !now.IsLost ? null
                    : Decide(now, vault) == ContactVerdict.Stop ? Lost(vault, now, failure)
                    : new BackupException(
                        failure.Id, $"{failure.Message} {Silence(vault, now)}", $"{failure.RecommendedAction} {Recovery}", failure.Target, failure.IsTransient, failure, failure.ErrorCode);
        }
    }

    /// <summary>Refuses a recovery where the profile does, by the state that the vault's owner has set. Where no state could, the vault is not asked.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="isForced">Whether what is in a folder is to be restored all the same.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">SubscriptionDeprovisioned.</exception>
    public async Task AdmitRestoreAsync(Vault vault, bool isForced, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        bool isRemote = new VaultAddress(vault.Location).IsRemote;
        VaultOperation operation = ContactTable.OperationOf(isBackup: false, isRemote);
        if (!Enum.GetValues<VaultSubscription>().Any(state => ContactTable.Decide(_limits, isLost: false, state, operation) == ContactVerdict.Stop) || (isForced && !isRemote))
        {
            return;
        }

        VaultSubscription subscription = await ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        if (ContactTable.Decide(_limits, isLost: false, subscription, operation) == ContactVerdict.Stop)
        {
            throw SubscriptionErrors.OfRestore(vault.Location, canForce: !isRemote);
        }
    }

    // What keeps this machine from reading the vault's header.
    private static bool IsSilence(BackupErrorId id) => id is BackupErrorId.VaultUnreachable or BackupErrorId.VaultNotFound or BackupErrorId.VaultAccessDenied
        or BackupErrorId.ProxyRefused or BackupErrorId.ProxyAuthenticationRequired or BackupErrorId.SecureConnectionFailed or BackupErrorId.PublicAddressRefused
        or BackupErrorId.IdentityNotFound or BackupErrorId.IdentityRejected or BackupErrorId.StorageSecretExpired
        or BackupErrorId.VaultProgramUnusable or BackupErrorId.VaultHostUntrusted;

    private static bool IsDoubtful(ContactStatus status) => status.IsLost || status.Subscription != VaultSubscription.Active;

    /// <summary>How the subscription stands by the settings of the vault. Damaged settings stop nothing.</summary>
    /// <exception cref="BackupException">The vault cannot be read.</exception>
    internal static async Task<VaultSubscription> ReadAsync(Vault vault, CancellationToken cancellationToken)
    {
        try
        {
            return (await vault.ReadSettingsAsync(cancellationToken).ConfigureAwait(false)).Subscription;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return VaultSubscription.Active;
        }
    }

    private ContactStatus StatusOf(ContactState known) => new(known.Last, ContactTable.IsLost(known.Last, _clock.GetUtcNow()), known.Subscription);

    private ContactVerdict Decide(ContactStatus status, MachineRegistration vault) =>
        ContactTable.Decide(_limits, status.IsLost, status.Subscription, ContactTable.OperationOf(isBackup: true, new VaultAddress(vault.VaultLocation).IsRemote));

    // Null where the vault has answered; what it said is noted.
    private async Task<BackupException?> AskAsync(MachineRegistration registration, CancellationToken cancellationToken)
    {
        try
        {
            Vault vault = await _machine.Vault.OpenAsync(cancellationToken).ConfigureAwait(false);
            _machine.Contacts.Note(registration.VaultId, await ReadAsync(vault, cancellationToken).ConfigureAwait(false));
            return null;
        }
        catch (BackupException e)
        {
            // An account that is disabled was noted when the vault was opened.
            return e;
        }
    }

    private BackupException Lost(MachineRegistration vault, ContactStatus status, BackupException? cause) => new(
        BackupErrorId.VaultContactLost,
        $"{Silence(vault, status)} The profile {_limits.Name} {(_limits == PolicyLimits.Mars ? "stops backups then; recoveries are never stopped for it" : "goes on trying to back up")}."
            + $"{(cause is null ? "" : $" The last try: {cause.Message}")}",
        Recovery,
        vault.VaultLocation,
        transient: true,
        innerException: cause);

    private string Silence(MachineRegistration vault, ContactStatus status) => string.Create(
        CultureInfo.InvariantCulture,
        $"This machine has had no contact with its vault '{vault.VaultName}' for {Math.Floor((_clock.GetUtcNow() - status.Last).TotalDays):0} days, since {status.Last.UtcDateTime:u}.");
}
