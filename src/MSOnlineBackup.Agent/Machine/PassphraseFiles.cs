using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>Passphrases in files: where the user wants one, and beside the state where otherwise one would be lost that is half set.</summary>
internal sealed class PassphraseFiles(StateFolder folder, TimeProvider clock)
{
    private const string RescuePattern = "passphrase-*.rescue";

    /// <summary>Writes a passphrase into a new file, readable by its owner only, and returns its path.</summary>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="target">An existing folder.</param>
    /// <param name="registration">Whose it is: the file is named after it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the folder cannot be written.</exception>
    public string Save(string passphrase, string target, MachineRegistration registration)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{registration.MachineName}-{registration.VaultName}-{Now()}.passphrase.txt");
        string file = Path.Combine(
            Path.GetFullPath(target), string.Concat(name.Select(character => Path.GetInvalidFileNameChars().Contains(character) ? '-' : character)));
        try
        {
            PrivateFile.Replace(file, Encode(passphrase));
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The passphrase cannot be saved to '{file}': {e.Message.TrimEnd('.')}. It was not set.",
                "Name an existing folder that this account may write to.",
                target,
                innerException: e);
        }
    }

    /// <summary>Keeps a passphrase that could not be set whole; null where that cannot be either.</summary>
    public string? TryRescue(string passphrase)
    {
        string name = $"passphrase-{Now()}.rescue";
        try
        {
            folder.Replace(name, Encode(passphrase));
            return folder.PathOf(name);
        }
        catch (BackupException)
        {
            // Said in the error that is on its way.
            return null;
        }
    }

    /// <summary>Deletes what was rescued, where that can be: a passphrase is set.</summary>
    public void DeleteRescued()
    {
        foreach (string file in Directory.EnumerateFiles(folder.Path, RescuePattern))
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The user was told where it is, and to bring it to a safe place.
            }
        }
    }

    private static byte[] Encode(string passphrase) => Encoding.UTF8.GetBytes(passphrase + "\n");

    private string Now() => clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
}
