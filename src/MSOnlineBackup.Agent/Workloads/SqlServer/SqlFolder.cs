using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.SqlServer;

/// <summary>A folder that the server writes backups to, until the vault has them. It belongs to whom the folder around it belongs to: the server's account.</summary>
/// <param name="path">Its absolute path.</param>
/// <param name="workload">The workload's name.</param>
internal sealed partial class SqlFolder(string path, string workload)
{
    private const int NameBytes = 8;

    /// <summary>Its absolute path.</summary>
    public string Path => path;

    /// <summary>Whether a file's name is one that we give.</summary>
    public static bool IsOurs(string name) => Ours().IsMatch(name);

    /// <summary>Makes it, and the one above it.</summary>
    /// <param name="around">The folder that the policy names; it is there.</param>
    /// <exception cref="BackupException">WorkloadFileUnreadable.</exception>
    public void Make(string around)
    {
        try
        {
            FileOwner owner = FileOwner.Of(around) ?? throw new DirectoryNotFoundException("It is not there.");
            foreach (string each in new[] { System.IO.Path.GetDirectoryName(path)!, path })
            {
                if (new DirectoryInfo(each) is { LinkTarget: not null })
                {
                    throw new IOException($"'{each}' is a link.");
                }

                if (!Directory.Exists(each))
                {
                    PrivateFolder.Make(each);
                    owner.TakeFolder(each);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }
    }

    /// <summary>The path of a new file for a backup. No two have the same name, whenever they are made: msdb finds them by it.</summary>
    public string NewFile(int database, string ending) => System.IO.Path.Combine(
        path, string.Create(CultureInfo.InvariantCulture, $"d{database}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameBytes))}.{ending}"));

    /// <summary>The manifest that is there; null for none.</summary>
    public SqlManifest? Read()
    {
        string file = System.IO.Path.Combine(path, SqlManifest.FileName);
        return File.Exists(file) && SqlManifest.Read(File.ReadAllBytes(file)) is { } manifest && manifest.Parts.All(part => File.Exists(System.IO.Path.Combine(path, part.File))) ? manifest : null;
    }

    /// <summary>Writes the manifest, and removes files of ours that it does not name.</summary>
    public void Write(SqlManifest manifest)
    {
        // Never through a link that the server's account could have put there.
        string fresh = System.IO.Path.Combine(path, SqlManifest.FileName + ".new");
        File.Delete(fresh);
        using (var file = new FileStream(fresh, FileMode.CreateNew, FileAccess.Write))
        {
            file.Write(manifest.Write());
            file.Flush(flushToDisk: true);
        }

        File.Move(fresh, System.IO.Path.Combine(path, SqlManifest.FileName), overwrite: true);
        Remove(name => IsOurs(name) && manifest.Parts.All(part => part.File != name));
    }

    /// <summary>Removes what is ours.</summary>
    public void Clear() => Remove(name => IsOurs(name) || name is SqlManifest.FileName or SqlManifest.FileName + ".new");

    private void Remove(Func<string, bool> isGone)
    {
        if (Directory.Exists(path))
        {
            foreach (string file in Directory.EnumerateFiles(path).Where(file => isGone(System.IO.Path.GetFileName(file))))
            {
                File.Delete(file);
            }
        }
    }

    private BackupException Unusable(Exception e) => new(
        BackupErrorId.WorkloadFileUnreadable,
        $"The folder '{path}', to which the server of the workload '{workload}' is to write, cannot be used: {e.Message}",
        "Name a folder that belongs to the account of the server (mssql), and run the backup as root or as that account.",
        path,
        innerException: e);

    [GeneratedRegex(@"\Ad\d{1,10}-[0-9a-f]{16}\.(bak|trn)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Ours();
}
