using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>owner pin</c>.</summary>
internal sealed class OwnerPinCommand : HostCommand
{
    private readonly Argument<string> _place;
    private readonly ConnectionOptions _connection;
    private readonly OwnerOptions _owner;

    public OwnerPinCommand()
        : base("pin", "Give out a security PIN: good for one operation, for five minutes.", "obengine owner pin /mnt/backup --owner-file Office.VaultOwner")
    {
        _place = Required("VAULT", "The vault's folder, or the URL of its container.");
        _connection = new ConnectionOptions(this);
        _owner = new OwnerOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        Vault vault = await Vault.OpenAsync(
            VaultLocation.Open(context.Get(_place), _connection.Read(context), context), context.VaultOptions, context.Stop).ConfigureAwait(false);
        (string file, string passphrase) = await _owner.ReadAsync(context, vault).ConfigureAwait(false);
        IssuedConsent pin = await vault.IssuePinAsync(file, passphrase, context.Stop).ConfigureAwait(false);
        return new Outcome(
            new ConsentSummary("owner pin", pin.Code, pin.ValidUntil, null),
            $"{pin.Code}\nGood until {context.LocalTime(pin.ValidUntil)}, once. Give it to whoever asked for it, on another way than through the machine.");
    }
}

/// <summary>The owner's file, and what opens it.</summary>
internal sealed class OwnerOptions
{
    private readonly Option<string?> _file = new("--owner-file")
    {
        HelpName = "FILE",
        Description =
            "The file with the key of the vault's owner. Default: the one that 'obengine vault create' wrote into this account's configuration folder.",
    };

    private readonly PassphraseOptions _passphrase;

    public OwnerOptions(Command command)
    {
        command.Add(_file);
        _passphrase = PassphraseOptions.ForOwner(command);
    }

    /// <summary>The file's path, and its passphrase.</summary>
    public async Task<(string File, string Passphrase)> ReadAsync(CommandContext context, Vault vault)
    {
        string file = context.Get(_file) ?? Path.Combine(context.Environment.ConfigurationFolder, "msonlinebackup", vault.VaultId + OwnerFile.Extension);
        return (Path.GetFullPath(file), await _passphrase.ReadAsync(context).ConfigureAwait(false));
    }
}
