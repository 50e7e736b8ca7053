using System.Text;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>
/// Folders of the backup itself: the vault, the machine's state, the scratch folder. A source that holds one leaves it out, or each backup would
/// back up the one before. Told by identity, so that links and bind mounts do not hide them; on Windows by their paths.
/// </summary>
public sealed class OwnFolders
{
    /// <summary>How the names of snapshots begin that a backup makes beside what it reads.</summary>
    public const string SnapshotPrefix = ".obengine-snapshot-";

    private readonly List<(ulong Device, ulong Inode)> _identities = [];
    private readonly HashSet<string> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(ulong Device, ulong Inode)> _vaults = [];

    private OwnFolders()
    {
    }

    /// <summary>None.</summary>
    public static OwnFolders None { get; } = new();

    /// <summary>Looks where they are now.</summary>
    /// <param name="vault">The vault's folder; null where it is in none. No source may lie in it.</param>
    /// <param name="others">Paths of other folders, which may or may not exist.</param>
    public static OwnFolders Find(string? vault, IEnumerable<string> others)
    {
        var own = new OwnFolders();
        own.Add(vault, own._vaults);
        foreach (string other in others)
        {
            own.Add(other, null);
        }

        return own;
    }

    /// <summary>Whether a folder is one of them.</summary>
    internal bool Contains(in UnixStat stat) => _identities.Count > 0 && _identities.Contains((stat.Device, stat.Inode));

    /// <summary>Whether a folder is a snapshot that a backup made, or stands for one in a later snapshot: there each would be an empty folder.</summary>
    internal static bool IsSnapshot(ReadOnlySpan<byte> name, in UnixStat stat) => IsNameOfSnapshot(name) && (BtrfsSubvolumes.IsTop(stat) || BtrfsSubvolumes.IsPlaceholder(stat));

    /// <summary>Whether a name is one that snapshots are given.</summary>
    internal static bool IsNameOfSnapshot(ReadOnlySpan<byte> name) => name.StartsWith(".obengine-snapshot-"u8);

    /// <summary>Whether a folder is one of them, by its full path.</summary>
    internal bool Contains(string path) => _paths.Count > 0 && _paths.Contains(path);

    /// <summary>Whether a folder is the vault's.</summary>
    internal bool IsVault(in UnixStat stat) => _vaults.Count > 0 && _vaults.Contains((stat.Device, stat.Inode));

    /// <summary>What is told of one that is left out.</summary>
    internal static string Note(ReadOnlySpan<byte> path) => $"'{PathText.Show(PathText.Local, path)}' belongs to the backup itself and is left out.";

    /// <summary>The error of a source that is one of them, or lies in the vault.</summary>
    internal static BackupException Refusal(ReadOnlySpan<byte> path)
    {
        string text = PathText.Show(PathText.Local, path);
        return new BackupException(
            BackupErrorId.SourceUnreadable,
            $"The source '{text}' is a folder of the backup itself (the vault, or the agent's state), or is inside one. It would be backed up into itself.",
            "Name a folder of your own data. To keep a second copy of a vault, copy its folder.",
            text);
    }

    private void Add(string? path, List<(ulong Device, ulong Inode)>? vaults)
    {
        // A vault's location may be an address, too.
        if (!Directory.Exists(path))
        {
            return;
        }

        path = Path.GetFullPath(path);

        if (OperatingSystem.IsWindows())
        {
            _paths.Add(Path.TrimEndingDirectorySeparator(path));
            return;
        }

        int handle = UnixSystem.Current.OpenBase(-1, Encoding.UTF8.GetBytes(path), followLink: true);
        if (handle < 0)
        {
            return;
        }

        if (UnixSystem.Current.Stat(handle, out UnixStat stat) >= 0)
        {
            _identities.Add((stat.Device, stat.Inode));
            vaults?.Add((stat.Device, stat.Inode));
        }

        UnixSystem.Close(handle);
    }
}
