using System.Globalization;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>What goes wrong before Azure knows who asks. No secret is repeated.</summary>
internal static class IdentityErrors
{
    /// <summary>Nothing says who this machine is.</summary>
    public static BackupException NotFound(string target, Exception? cause, bool transient = false) => new(
        BackupErrorId.IdentityNotFound,
        "Nothing says who this machine is to Azure. Tried: a shared access signature of the registration; AZURE_STORAGE_CONNECTION_STRING, "
            + "AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_KEY; "
            + "a service principal (AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH); a workload identity; "
            + "the machine's managed identity; who is signed in with az, azd or Azure PowerShell.",
        "On a machine in Azure give it a managed identity; elsewhere register with a credential file that has a shared access signature "
            + "(Export-OBVaultCredential -SasToken), set one of the variables, or sign in with 'az login'.",
        target,
        transient,
        cause);

    /// <summary>Microsoft Entra ID refuses the identity.</summary>
    public static BackupException Rejected(string target, Exception cause) => new(
        BackupErrorId.IdentityRejected,
        $"Microsoft Entra ID did not accept the identity of this machine: {FirstLine(cause.Message)}",
        "See whether the secret or certificate has expired, and whether tenant and client id are right; then run it again.",
        target,
        innerException: cause);

    /// <summary>Nobody could be asked.</summary>
    public static BackupException Unreachable(string target, Exception cause) => new(
        BackupErrorId.VaultUnreachable,
        $"Microsoft Entra ID cannot be asked who this machine is: {FirstLine(cause.GetBaseException().Message)}",
        "See whether the network is up and login.microsoftonline.com can be reached, also through a proxy or firewall.",
        target,
        transient: true,
        cause);

    /// <summary>What was given is not the secret of a storage account.</summary>
    /// <param name="origin">Where it came from.</param>
    /// <param name="why">The verb and what follows it.</param>
    /// <param name="target">The vault.</param>
    public static BackupException Invalid(string origin, string why, string target) => new(
        BackupErrorId.StorageSecretInvalid,
        $"{Capital(origin)} {why}.",
        "Give a connection string of the storage account, or a shared access signature: what follows the '?' of its URL, as 'sv=…&sig=…'.",
        target);

    /// <summary>It does not permit what a machine does.</summary>
    public static BackupException Insufficient(string given, IReadOnlyList<string> missing, string target) => new(
        BackupErrorId.StorageSecretInvalid,
        $"The shared access signature permits '{given}' and not {string.Join(" and ", missing)}, so no machine could use the vault '{target}' with it.",
        "Make one with the permissions read, create and list ('sp=rcl'); to recover only, read and list are enough.",
        target);

    /// <summary>It is of another account.</summary>
    public static BackupException Foreign(string origin, string account, BlobLocation location) => new(
        BackupErrorId.StorageSecretForeign,
        $"{Capital(origin)} is for the storage account '{account}', and the vault '{location}' is in the account '{location.Account}'.",
        "Give the secret of the vault's own account, or remove this one, so that the machine's identity counts.",
        location.ToString());

    /// <summary>It was valid until then.</summary>
    public static BackupException Expired(string origin, DateTimeOffset when, string target) => new(
        BackupErrorId.StorageSecretExpired,
        string.Create(CultureInfo.InvariantCulture, $"{Capital(origin)} expired on {when.UtcDateTime:yyyy-MM-dd 'at' HH:mm} UTC."),
        "Make a new one. For a registered machine put it into a new credential file (Export-OBVaultCredential -SasToken) "
            + "and register with that; what is set stays.",
        target);

    private static string FirstLine(string message) =>
        message.AsSpan().Trim() is { Length: > 0 } text ? text[..LengthOfLine(text)].TrimEnd().ToString() : "no reason was given.";

    private static int LengthOfLine(ReadOnlySpan<char> text) => text.IndexOfAny('\r', '\n') is >= 0 and int end ? end : text.Length;

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
