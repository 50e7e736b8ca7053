using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Host.Passphrases;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Which vault, and the passphrase that opens it: the options of every command that works on one.</summary>
internal sealed class VaultOptions
{
    /// <summary>The environment variable that stands in for <c>--vault</c>.</summary>
    public const string Variable = "OBENGINE_VAULT";

    private readonly Option<string?> _vault = new("--vault")
    {
        HelpName = "VAULT",
        Description = $"The vault: its folder, or the URL of its container in Azure. Without it: {Variable}.",
    };

    private readonly ConnectionOptions _connection;
    private readonly PassphraseOptions _passphrase;

    public VaultOptions(Command command)
    {
        command.Add(_vault);
        _connection = new ConnectionOptions(command);
        _passphrase = PassphraseOptions.ForOpening(command);
    }

    /// <summary>The vault's store, for what needs no passphrase.</summary>
    public IVaultStore OpenStore(CommandContext context) => VaultLocation.Open(
        context.Get(_vault)
        ?? context.Environment.Variable(Variable)
        ?? throw context.Invalid("No vault was named.", $"Name its folder or URL with --vault, or set {Variable}."),
        _connection.Read(context),
        context);

    /// <summary>Opens the vault with the passphrase.</summary>
    public async Task<BackupEngine> OpenAsync(CommandContext context)
    {
        IVaultStore store = OpenStore(context);
        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        return await BackupEngine.OpenAsync(store, passphrase, context.EngineOptions, context.Stop).ConfigureAwait(false);
    }
}
