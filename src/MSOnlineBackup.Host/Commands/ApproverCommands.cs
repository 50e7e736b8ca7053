using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>approver new</c>.</summary>
internal sealed class ApproverNewCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly Argument<string> _file;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;

    public ApproverNewCommand()
        : base("new", "Make yourself an approver of a vault: a key of your own, in a file.", "obengine approver new /mnt/backup alice.VaultOwner")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _file = Required("FILE", "The file to be written. It must not exist.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForAdding(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault vault = await Vault.OpenAsync(
            VaultLocation.Open(context.Get(_place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        string file = Path.GetFullPath(context.Get(_file));
        OwnerIdentity made = vault.CreateApprover(file, await _passphrase.ReadAsync(context).ConfigureAwait(false));
        return new Outcome(
            new ApproverSummary(file, made.PublicKey, made.Fingerprint),
            $"{made.PublicKey}\nGive this public key to the vault's owner, who adds it with 'Set-OBVault -Approver'. The fingerprint is {made.Fingerprint}.");
    }
}

/// <summary><c>approver approve</c>.</summary>
internal sealed class ApproverApproveCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly Argument<string> _file;
    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<GuardedOperation> _operation;
    private readonly Option<string?> _validFor;

    public ApproverApproveCommand()
        : base("approve", "Approve of one operation that destroys, as an approver of the vault.", "obengine approver approve /mnt/backup alice.VaultOwner --operation deletepoints")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _file = Required("FILE", "The approver's file.");
        _operation = Choice("--operation", "Of what. Default: deletepoints.", GuardedOperation.DeletePoints);
        _validFor = Value("--valid-for", "TIME", "For how long, such as 30m or 12h. Default: 1h.");
        _connection = new ConnectionOptions(this);
        _passphrase = PassphraseOptions.ForOwner(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        TimeSpan? validity = context.GetDuration(_validFor);
        Vault vault = await Vault.OpenAsync(
            VaultLocation.Open(context.Get(_place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        IssuedConsent given = await vault.ApproveAsync(
            Path.GetFullPath(context.Get(_file)), await _passphrase.ReadAsync(context).ConfigureAwait(false), context.Parsed.GetValue(_operation), validity, context.Stop).ConfigureAwait(false);
        return new Outcome(
            new ConsentSummary("approver approve", given.Code, given.ValidUntil, given.Operation?.ToString()),
            $"{given.Code}\nGood for {given.Operation} until {context.LocalTime(given.ValidUntil)}, once.");
    }
}
