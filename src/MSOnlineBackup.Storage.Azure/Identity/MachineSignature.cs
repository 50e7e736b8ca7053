using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>Whether a shared access signature suffices for the machines that are to use it: to read, create and list.</summary>
public static class MachineSignature
{
    private const string Origin = "the shared access signature";

    /// <summary>Looks at what a signature says it permits; nothing is asked of Azure.</summary>
    /// <param name="secret">The signature, or a connection string.</param>
    /// <param name="location">The URL of the container.</param>
    /// <param name="clock">This machine's clock.</param>
    /// <returns>
    /// A warning where machines can recover by it, and not back up; null where nothing is missing, or a stored access policy says what it permits.
    /// </returns>
    /// <exception cref="BackupException">
    /// StorageSecretInvalid: nobody can do anything by it, or it is none. StorageSecretForeign, StorageSecretExpired.
    /// </exception>
    public static string? Check(string secret, string location, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        if (StorageSecret.Parse(secret, Origin, BlobLocation.Parse(location), clock.GetUtcNow()) is not StorageSecret.SharedAccess { Permissions: { } given })
        {
            return null;
        }

        // Who may write may create.
        string[] missing =
        [
            .. given.Contains('r', StringComparison.Ordinal) ? [] : new[] { "read (r)" },
            .. given.Contains('c', StringComparison.Ordinal) || given.Contains('w', StringComparison.Ordinal) ? [] : new[] { "create (c)" },
            .. given.Contains('l', StringComparison.Ordinal) ? [] : new[] { "list (l)" },
        ];
        return missing switch
        {
            [] => null,
            ["create (c)"] => $"The shared access signature permits '{given}': a machine can recover with it, but not back up. "
                + "For that it also needs create (c), as in 'sp=rcl'.",
            _ => throw IdentityErrors.Insufficient(given, missing, location),
        };
    }
}
