using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>Whether what destroys may be done: what the vault's settings ask for has to be shown. All that is needed to check it is public.</summary>
/// <param name="vault">The vault.</param>
internal sealed class VaultGuard(KnownVault vault)
{
    /// <summary>For how long a security PIN is good.</summary>
    public static readonly TimeSpan PinValidity = TimeSpan.FromMinutes(5);

    /// <summary>For how long an approval is good, unless the approver says otherwise; and for how long at most.</summary>
    public static readonly TimeSpan ApprovalValidity = TimeSpan.FromHours(1);

    public static readonly TimeSpan LongestApproval = TimeSpan.FromDays(1);

    /// <summary>The original's number for a PIN that is wrong or expired.</summary>
    private const string PinCode = "100130";

    /// <summary>The original's number for what an immutable vault refuses.</summary>
    private const string ImmutableCode = "810001";

    /// <summary>Refuses what has not the consent that the vault asks for. A consent that was shown is used up by it.</summary>
    /// <param name="operation">What is to be done, and is done right after.</param>
    /// <param name="consent">What was shown; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">SecurityPinRejected (100130), ApprovalRejected; VaultDataCorrupt: the settings cannot be read, so nobody knows what they ask for.</exception>
    public async Task RequireAsync(GuardedOperation operation, Consent? consent, CancellationToken cancellationToken) =>
        await RequireAsync(await ReadSettingsAsync(cancellationToken).ConfigureAwait(false), operation, consent, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="RequireAsync(GuardedOperation, Consent?, CancellationToken)"/>
    /// <param name="settings">The settings, read just now.</param>
    public async Task RequireAsync(VaultSettings settings, GuardedOperation operation, Consent? consent, CancellationToken cancellationToken)
    {
        var used = new List<(ConsentRegister Register, uint Number, Func<string, BackupException> Refuse)>();

        // The owner's key is more than a PIN, which is made by it.
        if (settings.RequiresPin && operation != GuardedOperation.ChangeProtection)
        {
            used.Add(await FindAsync(Pins, consent?.Pin, operation, RefusePin, cancellationToken).ConfigureAwait(false));
        }

        if (settings.Approvers is { Count: > 0 })
        {
            used.Add(await FindAsync(ApprovalsOf(settings), consent?.Approval, operation, RefuseApproval, cancellationToken).ConfigureAwait(false));
        }

        // None is used up unless all are there.
        foreach ((ConsentRegister register, uint number, Func<string, BackupException> refuse) in used)
        {
            if (await register.UseAsync(number, cancellationToken).ConfigureAwait(false) is { } fault)
            {
                throw refuse(fault);
            }
        }
    }

    /// <summary>What the vault's settings say; of a vault without an owner, that nothing is asked for.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, …</exception>
    public async Task<VaultSettings> ReadSettingsAsync(CancellationToken cancellationToken) =>
        vault.Header.OwnerIdentity is null ? new VaultSettings() : await new VaultSettingsRegister(vault).ReadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Gives out a security PIN, good for one operation within five minutes.</summary>
    /// <exception cref="BackupException">OwnerForeign.</exception>
    public Task<IssuedConsent> IssuePinAsync(OwnerKey owner, CancellationToken cancellationToken) => owner.Identity == vault.Header.OwnerIdentity
        ? Pins.IssueAsync(owner, operation: null, PinValidity, cancellationToken)
        : throw OwnerErrors.Foreign(vault.Location, "the signing key is another one");

    /// <summary>Gives out the approval of one operation.</summary>
    /// <param name="approver">One of the vault's approvers.</param>
    /// <param name="operation">Of what.</param>
    /// <param name="validity">For how long: up to a day.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid, ApprovalRejected: this is no approver of the vault.</exception>
    public async Task<IssuedConsent> ApproveAsync(OwnerKey approver, GuardedOperation operation, TimeSpan validity, CancellationToken cancellationToken)
    {
        if (validity < TimeSpan.FromSeconds(1) || validity > LongestApproval)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"An approval cannot be good for {validity}.", "Choose up to a day, or leave it out for an hour.");
        }

        VaultSettings settings = await ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
        return settings.Approvers?.Contains(approver.Identity.PublicKey) == true
            ? await ApprovalsOf(settings).IssueAsync(approver, operation, validity, cancellationToken).ConfigureAwait(false)
            : throw RefuseApproval("the signing key belongs to none of the vault's approvers");
    }

    /// <summary>What an immutable vault says to whoever would delete.</summary>
    /// <param name="what">The beginning of the sentence: what is not done.</param>
    /// <param name="settings">The vault's settings.</param>
    public BackupException Immutable(string what, VaultSettings settings) => new(
        BackupErrorId.VaultImmutable,
        $"{what}: the vault '{vault.Location}' is immutable for {settings.ImmutableDays:N0} days{(settings.Immutability == VaultImmutability.Locked ? ", and that is locked" : "")}.",
        "Wait until the recovery points are older, or let retention end them (Remove-OBPolicy -DeleteBackup -EnablePruning). "
            + (settings.Immutability == VaultImmutability.Locked ? "Nobody can shorten the time." : "The vault's owner can change it (Set-OBVault -Immutability)."),
        vault.Location,
        errorCode: ImmutableCode);

    private ConsentRegister Pins => new(vault, vault.Header.OwnerIdentity is { } owner ? [owner] : [], ConsentRecord.Pin);

    private ConsentRegister ApprovalsOf(VaultSettings settings) =>
        new(vault, [.. settings.Approvers!.Select(OwnerIdentity.TryParse).OfType<OwnerIdentity>()], ConsentRecord.Approval);

    private static async Task<(ConsentRegister Register, uint Number, Func<string, BackupException> Refuse)> FindAsync(
        ConsentRegister register, string? code, GuardedOperation operation, Func<string, BackupException> refuse, CancellationToken cancellationToken)
    {
        (uint number, string? fault) = string.IsNullOrWhiteSpace(code) ? (0, "none was given") : await register.FindAsync(code, operation, cancellationToken).ConfigureAwait(false);
        return fault is null ? (register, number, refuse) : throw refuse(fault);
    }

    private BackupException RefusePin(string why) => new(
        BackupErrorId.SecurityPinRejected,
        $"The vault '{vault.Location}' asks for a security PIN of its owner before this, and did not accept one: {why}. Nothing was done.",
        "Ask the vault's owner for a new PIN ('New-OBSecurityPin' or 'obengine owner pin'), and give it within five minutes with -SecurityPin or --pin. A PIN is good once.",
        vault.Location,
        errorCode: PinCode);

    private BackupException RefuseApproval(string why) => new(
        BackupErrorId.ApprovalRejected,
        $"The vault '{vault.Location}' asks for the approval of another person before this, and did not accept one: {why}. Nothing was done.",
        "Ask one of the vault's approvers for an approval of this operation ('New-OBApproval' or 'obengine approver approve'), and give its code with -Approval or --approval. It is good once.",
        vault.Location);
}
