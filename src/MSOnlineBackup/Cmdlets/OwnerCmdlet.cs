using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For what only the owner of a vault may do: by the owner's file, or by the key that this machine keeps.</summary>
public abstract class OwnerCmdlet : OBEngineCmdlet
{
    /// <summary>The owner's file; without it this machine must keep the owner's key.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? OwnerFile { get; set; }

    /// <summary>The passphrase that opens the owner's file.</summary>
    [Parameter]
    public SecureString? OwnerPassphrase { get; set; }

    /// <summary>The owner's file as it was named; null where it was not.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: only half of it was given.</exception>
    private protected OwnerAccess? Owner => (OwnerFile, OwnerPassphrase) switch
    {
        (null, null) => null,
        ({ } file, { } passphrase) => new OwnerAccess(FullPath(file), passphrase.ToPlain()),
        _ => throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            OwnerFile is null ? "A passphrase for an owner's file was given, but no file." : $"No passphrase was given for the owner's file '{OwnerFile}'.",
            "Give both -OwnerFile and -OwnerPassphrase."),
    };
}
