using System.CommandLine;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Which vault, and the passphrase or Key Vault key that opens it: the options of every command that works on one.</summary>
internal sealed class VaultSelection
{
    /// <summary>The environment variable that stands in for <c>--vault</c>.</summary>
    public const string Variable = "OBENGINE_VAULT";

    private readonly Option<string?> _vault = new("--vault")
    {
        HelpName = "VAULT",
        Description = $"The vault: its folder, ssh://HOST/PATH for one of another machine, or the URL of its container in Azure. Default: {Variable}.",
    };

    private readonly ConnectionOptions _connection;
    private readonly Option<string?> _keyVaultKey = new("--key-vault-key")
    {
        HelpName = "URI",
        Description = "Open the vault with a key in Azure Key Vault instead of a passphrase: https://NAME.vault.azure.net/keys/KEY.",
    };

    private readonly Option<bool> _everySlot = new("--every-key-slot")
    {
        Description = "Try the passphrase on every key slot of the vault, however many there are and however long that takes.",
        Arity = ArgumentArity.Zero,
    };

    private readonly Option<bool> _noCache = new("--no-cache")
    {
        Description = "Keep nothing of the vault's index on this machine, and rely on nothing of it that is kept.",
        Arity = ArgumentArity.Zero,
    };

    private readonly PassphraseOptions _passphrase;

    public VaultSelection(Command command)
    {
        command.Add(_vault);
        _connection = new ConnectionOptions(command);
        _passphrase = PassphraseOptions.ForOpening(command);
        command.Add(_keyVaultKey);
        command.Add(_everySlot);
        command.Add(_noCache);
    }

    /// <summary>Whether a vault was named as an option, for a command that does without one.</summary>
    public bool IsNamed(CommandContext context) => context.Get(_vault) is not null;

    /// <summary>How a vault in Azure is reached, and its Key Vault.</summary>
    public VaultConnection Connect(CommandContext context) => _connection.Read(context);

    /// <summary>A twin of the vault, reached in the same way. Where a key was rotated in one of the places, only 'vault copy' takes the passphrase for both.</summary>
    public TwinPlace Twin(CommandContext context, UnlockedVault vault, string place) => new(place, async stop =>
    {
        Vault twin = await vault.Vault.OpenTwinAsync(() => Vault.OpenAsync(VaultLocation.Open(place, Connect(context), context), context.VaultOptions, stop)).ConfigureAwait(false);
        return await vault.UnlockTwinAsync(twin, passphrase: null, stop).ConfigureAwait(false);
    });

    /// <summary>The vault's store, for what needs no passphrase.</summary>
    public IVaultStore OpenStore(CommandContext context) => VaultLocation.Open(
        context.Get(_vault)
        ?? context.Environment.Variable(Variable)
        ?? throw context.Invalid("No vault was named.", $"Name its folder or URL with --vault, or set {Variable}."),
        Connect(context),
        context);

    /// <summary>Unlocks the vault with the passphrase, or by the Key Vault key that was named.</summary>
    /// <param name="context">What was said.</param>
    /// <param name="use">For what, where that is one job, at once; see <see cref="Vault.UnlockAsync(string, CancellationToken, VaultUse?)"/>.</param>
    public Task<UnlockedVault> UnlockAsync(CommandContext context, VaultUse? use = null) => UnlockAsync(context, context.VaultOptions, use);

    /// <inheritdoc cref="UnlockAsync(CommandContext, VaultUse?)"/>
    public async Task<UnlockedVault> UnlockAsync(CommandContext context, VaultOptions options, VaultUse? use = null)
    {
        IVaultStore store = OpenStore(context);
        options = options with { TriesEveryKeySlot = context.Has(_everySlot) };
        if (context.Has(_noCache))
        {
            options = options with { IndexCacheFolder = null };
        }

        if (context.Get(_keyVaultKey) is { } uri)
        {
            if (_passphrase.IsNamed(context))
            {
                throw context.Invalid($"Both {_keyVaultKey.Name} and a passphrase were given.", "Give one of them.");
            }

            Vault known = await Vault.OpenAsync(store, options, context.Stop).ConfigureAwait(false);
            return await known.UnlockAsync(KeyVaults.OpenKey(uri, Connect(context)), context.Stop).ConfigureAwait(false);
        }

        string passphrase = await _passphrase.ReadAsync(context).ConfigureAwait(false);
        Vault vault = await Vault.OpenAsync(store, options, context.Stop).ConfigureAwait(false);
        return await vault.UnlockAsync(passphrase, context.Stop, use).ConfigureAwait(false);
    }
}
