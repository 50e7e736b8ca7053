using System.CommandLine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Which vault, and the passphrase or Key Vault key that opens it: the options of every command that works on one.</summary>
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
    private readonly Option<string?> _keyVaultKey = new("--key-vault-key")
    {
        HelpName = "URI",
        Description = "Opens the vault by a key in Azure Key Vault instead of a passphrase: https://NAME.vault.azure.net/keys/KEY.",
    };

    private readonly Option<bool> _everySlot = new("--every-key-slot")
    {
        Description = "Tries the passphrase on every key slot of the vault, however many there are and however long that takes.",
        Arity = ArgumentArity.Zero,
    };

    private readonly PassphraseOptions _passphrase;

    public VaultOptions(Command command)
    {
        command.Add(_vault);
        _connection = new ConnectionOptions(command);
        _passphrase = PassphraseOptions.ForOpening(command);
        command.Add(_keyVaultKey);
        command.Add(_everySlot);
    }

    /// <summary>How a vault in Azure is reached, and its Key Vault.</summary>
    public VaultConnection Connect(CommandContext context) => _connection.Read(context);

    /// <summary>The vault's store, for what needs no passphrase.</summary>
    public IVaultStore OpenStore(CommandContext context) => VaultLocation.Open(
        context.Get(_vault)
        ?? context.Environment.Variable(Variable)
        ?? throw context.Invalid("No vault was named.", $"Name its folder or URL with --vault, or set {Variable}."),
        Connect(context),
        context);

    /// <summary>Opens the vault with the passphrase, or by the Key Vault key that was named.</summary>
    public Task<UnlockedVault> OpenAsync(CommandContext context, AskAhead ahead = AskAhead.Nothing) => OpenAsync(context, context.EngineOptions with { AskAhead = ahead });

    /// <inheritdoc cref="OpenAsync(CommandContext, AskAhead)"/>
    public async Task<UnlockedVault> OpenAsync(CommandContext context, EngineOptions options)
    {
        IVaultStore store = OpenStore(context);
        options = options with { TriesEveryKeySlot = context.Has(_everySlot) };
        if (context.Get(_keyVaultKey) is { } uri)
        {
            return _passphrase.IsNamed(context)
                ? throw context.Invalid($"Both {_keyVaultKey.Name} and a passphrase were given.", "Give one of them.")
                : await UnlockedVault.OpenAsync(store, VaultLocation.OpenKey(uri, Connect(context)), options, context.Stop).ConfigureAwait(false);
        }

        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        return await UnlockedVault.OpenAsync(store, passphrase, options, context.Stop).ConfigureAwait(false);
    }
}
