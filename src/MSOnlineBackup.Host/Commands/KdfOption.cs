using System.CommandLine;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Host.Commands;

/// <summary>How the key of a new key slot is derived from its passphrase: of every command that makes one.</summary>
internal sealed class KdfOption
{
    private readonly Option<string?> _kdf = new("--kdf")
    {
        HelpName = "NAME",
        Description = "How the key is derived from the passphrase: argon2id, or pbkdf2 for FIPS 140. Default: argon2id, if libsodium is available.",
    };

    public KdfOption(Command command) => command.Add(_kdf);

    /// <summary>The engine's options, with what was said.</summary>
    public VaultOptions Apply(VaultOptions options, CommandContext context) => options with
    {
        PassphraseKdf = context.Get(_kdf) switch
        {
            null => PassphraseKdf.Automatic,
            "argon2id" => PassphraseKdf.Argon2id,
            "pbkdf2" => PassphraseKdf.Pbkdf2,
            var other => throw context.Invalid($"'{other}' is not a way to derive a key.", $"{_kdf.Name} takes argon2id or pbkdf2."),
        },
    };
}
