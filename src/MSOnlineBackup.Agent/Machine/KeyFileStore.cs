using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>The key file on disk, sealed by the machine's secret.</summary>
internal sealed class KeyFileStore(MachineSecret secret)
{
    /// <summary>Whether a folder has one.</summary>
    public static bool IsIn(string folder) => File.Exists(PathIn(folder));

    /// <summary>Reads it.</summary>
    /// <exception cref="BackupException">KeyFileInvalid.</exception>
    public UnlockedKey Read(string folder, MachineRegistration registration)
    {
        string path = PathIn(folder);
        try
        {
            byte[] content = File.ReadAllBytes(path);
            byte[] key = secret.FindKey(KeyFile.Name) ?? throw KeyFile.Invalid(path, "the machine's secret that it was made with is missing");
            return KeyFile.Decode(key, registration.VaultId, IdOf(registration), content, path);
        }
        catch (FileNotFoundException e)
        {
            throw KeyFile.Invalid(path, "it is missing", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw KeyFile.Invalid(path, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Writes it, and returns what it says when it is read.</summary>
    /// <exception cref="BackupException">KeyFileInvalid: it reads back otherwise.</exception>
    public UnlockedKey Write(string folder, MachineRegistration registration, UnlockedKey key)
    {
        string path = PathIn(folder);
        PrivateFile.Replace(path, KeyFile.Encode(secret.DeriveKey(KeyFile.Name), registration.VaultId, IdOf(registration), key));
        UnlockedKey written = Read(folder, registration);
        return written.StoreId == key.StoreId && written.KeyId == key.KeyId && CryptographicOperations.FixedTimeEquals(written.MasterKey, key.MasterKey)
            ? written
            : throw KeyFile.Invalid(path, "its content after writing differs from what was written");
    }

    /// <summary>Brings it to another folder.</summary>
    /// <returns>Whether there are two now: two paths may lead to one folder.</returns>
    /// <exception cref="BackupException">KeyFileInvalid where it does not serve; ActivationFailed where it could not be brought.</exception>
    public bool Copy(string source, string target, MachineRegistration registration)
    {
        UnlockedKey key = Read(source, registration);
        try
        {
            Write(target, registration, key);

            // No two key files are alike: where these are, it is one file.
            return !File.ReadAllBytes(PathIn(source)).AsSpan().SequenceEqual(File.ReadAllBytes(PathIn(target)));
        }
        catch (Exception e) when (ActivationErrors.IsFailure(e))
        {
            throw ActivationErrors.Failed(
                $"The key file could not be moved to '{target}'; the scratch folder stays where it was. The cause: {e.Message}", target, e);
        }
    }

    /// <summary>Deletes it, if that can be.</summary>
    public static void Delete(string folder)
    {
        try
        {
            File.Delete(PathIn(folder));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left is of no use to anybody without the machine's secret, and of none to the machine: it is not read.
        }
    }

    private static string PathIn(string folder) => Path.Combine(folder, KeyFile.Name);

    private static MachineId IdOf(MachineRegistration registration) => MachineId.Of(registration.VaultId, registration.FirstName ?? registration.MachineName);
}
