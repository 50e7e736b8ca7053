using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>What is wrong with a folder while it is read on: the first error is thrown once what could be read was given.</summary>
internal sealed class FolderDamage
{
    // Whoever made it so has made all of it so.
    private const int Patience = 100;

    private BackupException? _first;
    private int _count;

    /// <summary>Whether reading on is in vain.</summary>
    public bool IsTooMuch => _count >= Patience;

    /// <summary>Keeps an error.</summary>
    public void Add(BackupException error)
    {
        _first ??= error;
        _count++;
    }

    /// <summary>Says that there was one.</summary>
    /// <exception cref="BackupException">The first one.</exception>
    public void Throw()
    {
        if (_first is not null)
        {
            throw _first;
        }
    }
}
