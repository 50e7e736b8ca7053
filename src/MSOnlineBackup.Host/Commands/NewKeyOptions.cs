using System.CommandLine;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What a new key slot is to be opened by: a passphrase, or a key in Azure Key Vault.</summary>
internal sealed class NewKeyOptions
{
    private readonly PassphraseOptions _passphrase;

    private readonly Option<string?> _keyVaultKey = new("--new-key-vault-key")
    {
        HelpName = "URI",
        Description = "Use a key in Azure Key Vault instead of a new passphrase. Without a version, the URI means the newest.",
    };

    private readonly KdfOption _kdf;

    public NewKeyOptions(Command command)
    {
        _passphrase = PassphraseOptions.ForAdding(command);
        command.Add(_keyVaultKey);
        _kdf = new KdfOption(command);
    }

    /// <summary>The engine's options for making the slot.</summary>
    public VaultOptions Apply(CommandContext context) => _kdf.Apply(context.VaultOptions, context);

    /// <summary>The Key Vault key; null where a passphrase is wanted.</summary>
    public IKeyEncryptionKey? TryOpenKey(CommandContext context, VaultConnection connection) => context.Get(_keyVaultKey) is not { } uri
        ? null
        : _passphrase.IsNamed(context)
            ? throw context.Invalid($"Both {_keyVaultKey.Name} and a new passphrase were given.", "Give one of them.")
            : KeyVaults.OpenKey(uri, connection);

    /// <summary>The new passphrase.</summary>
    public Task<string> ReadPassphraseAsync(CommandContext context) => _passphrase.ReadAsync(context);
}
