using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>
/// Tells of what cannot be read of something that is mounted or served. Damage is told once for each item, however often programs try; that the vault is away, each time.
/// Thread-safe.
/// </summary>
internal sealed class ServedDamage(IRenderer renderer)
{
    // Beyond it the same is told again.
    private const int MostRemembered = 10_000;

    private readonly HashSet<string> _told = [];

    /// <summary>Tells of what keeps an item from being read.</summary>
    /// <param name="path">The item's full path; empty where it is not known.</param>
    /// <param name="failure">What is wrong.</param>
    public void Warn(string path, BackupException failure) => Warn(path.Length == 0 || !failure.IsOfOneObject ? failure : failure.Of(path));

    /// <summary>Tells of what is wrong; where it is of an item, it says of which.</summary>
    public void Warn(BackupException failure)
    {
        lock (_told)
        {
            if (!failure.IsOfOneObject || _told.Count >= MostRemembered || _told.Add(failure.Message))
            {
                renderer.Warn(failure);
            }
        }
    }
}
