using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Asks for a new passphrase, twice: one that was mistyped opens nothing, ever.</summary>
[Cmdlet(VerbsCommunications.Read, "OBPassphrase")]
[OutputType(typeof(SecureString))]
public sealed class ReadOBPassphraseCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        SecureString first = Ask("Passphrase (at least 16 characters): ");
        Passphrase.Validate(first.ToPlain());
        using SecureString second = Ask("Passphrase again: ");
        if (first.ToPlain() != second.ToPlain())
        {
            throw new BackupException(
                BackupErrorId.PassphraseInvalid, "The two passphrases differ.", "Run the command again and type the same passphrase twice.");
        }

        WriteObject(first);
    }

    private SecureString Ask(string prompt)
    {
        Host.UI.Write(prompt);
        return Host.UI.ReadLineAsSecureString();
    }
}
