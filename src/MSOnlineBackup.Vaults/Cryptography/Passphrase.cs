using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>The rule for passphrases: at least 16 characters, printable ASCII only (behaviours A56, T10).</summary>
public static class Passphrase
{
    /// <summary>The shortest passphrase, in characters.</summary>
    public const int MinimumLength = 16;

    /// <summary>Checks a new passphrase.</summary>
    /// <exception cref="BackupException">PassphraseInvalid.</exception>
    public static void Validate(string passphrase)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        foreach (char c in passphrase)
        {
            if (c is < ' ' or > '~')
            {
                throw new BackupException(
                    BackupErrorId.PassphraseInvalid,
                    "The passphrase has a character outside printable ASCII.",
                    "Use letters, digits, spaces and ASCII punctuation only.");
            }
        }

        if (passphrase.Length < MinimumLength)
        {
            throw new BackupException(
                BackupErrorId.PassphraseInvalid,
                $"The passphrase has {passphrase.Length} characters; at least {MinimumLength} are needed.",
                "Choose a longer one, for example six random words, and keep it somewhere safe: without it the data cannot be recovered.");
        }
    }
}
