using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>
/// A folder of ours beside that of the module, on the same file system, in which a version is put together before it gets its name, and to which a folder is moved before it is
/// deleted. One update at a time has it; what one that was killed has left in it is removed by the next.
/// </summary>
internal sealed class UpdateStaging : IDisposable
{
    /// <summary>What it is called. PowerShell takes it for no module and for no version of one.</summary>
    public const string Name = ".MSOnlineBackup.update";

    private readonly string _path;
    private readonly FileStream _lock;

    private UpdateStaging(string path, FileStream held)
    {
        _path = path;
        _lock = held;
    }

    /// <summary>Where the new version is put together.</summary>
    public string New => Path.Combine(_path, "new");

    /// <summary>Where an old version goes before it is deleted.</summary>
    public string Old => Path.Combine(_path, "old");

    /// <summary>Takes it, and makes it if need be.</summary>
    /// <param name="root">The folder in which it lies.</param>
    /// <exception cref="BackupException">ModuleNotUpdated: another update has it, or it cannot be made.</exception>
    public static UpdateStaging Enter(string root)
    {
        string path = Path.Combine(root, Name);
        FileStream? held = null;
        try
        {
            Directory.CreateDirectory(path);
            held = PrivateFile.Open(Path.Combine(path, "lock"), FileMode.OpenOrCreate);
            var staging = new UpdateStaging(path, held);
            staging.Clear();
            return staging;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw PackageErrors.NotUpdated(path, e);
        }
    }

    /// <summary>Moves a folder here, in one step, and deletes it.</summary>
    public void Delete(string folder)
    {
        Directory.Move(folder, Old);
        Durability.FlushFolder(Path.GetDirectoryName(folder)!);
        Directory.Delete(Old, recursive: true);
    }

    /// <summary>Removes all of it, after an update that has ended. Where the system refuses, as for files that are in use on Windows, the next update does it.</summary>
    public bool TryRemove()
    {
        try
        {
            Clear();
            _lock.Dispose();
            File.Delete(Path.Combine(_path, "lock"));
            Directory.Delete(_path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Lets go of it. What is in it stays, as after a kill; see <see cref="TryRemove"/>.</summary>
    public void Dispose() => _lock.Dispose();

    private void Clear()
    {
        foreach (string folder in (string[])[New, Old])
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
