using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What is allowed in a policy, and probably not meant.</summary>
public static class PolicyDoubts
{
    private static readonly string[] _memory = ["tmpfs", "ramfs"];

    // What services keep beside the data that they bring elsewhere: it is no data of its own, and theirs alone to write.
    private static readonly string[] _private = ["DfsrPrivate", ".stversions", ".glusterfs"];

    /// <summary>The doubts about the sources of a policy that can be looked at now, a sentence or two each.</summary>
    public static IReadOnlyList<string> OfSources(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return !PolicyScope.Of(policy.Kind).NamesFiles ? [] :
        [
            .. PolicySources.Resolve(policy).SelectMany(source => new[] { OfFileSystem(source.Path, source.Selection), OfName(source.Path, policy) })
                .OfType<string>(),
        ];
    }

    /// <summary>The doubts about a retention that only the profile <see cref="PolicyLimits.Open"/> takes.</summary>
    public static string? OfRetention(RetentionPolicy retention)
    {
        try
        {
            PolicyLimits.Mars.CheckRetention(retention);
            return null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.PolicyLimitExceeded)
        {
            return e.Message;
        }
    }

    private static string? OfFileSystem(string path, SourceSelection selection)
    {
        string? fileSystem;
        try
        {
            using ISourceTree tree = SourceTrees.Open(path, selection);
            fileSystem = tree.FileSystem;
        }
        catch (BackupException e)
        {
            // Among others what the kernel makes up: /proc, /sys.
            return $"{e.Message} {e.RecommendedAction}";
        }

        return fileSystem switch
        {
            null => null,
            _ when _memory.Contains(fileSystem) => $"'{path}' is held in memory ({fileSystem}): it is empty after a restart, and so is the next backup of it.",
            "overlay" or "overlayfs" =>
                $"'{path}' is in a container's own layer ({fileSystem}), which disappears with the container. Back up the volume that is mounted into it.",
            _ => null,
        };
    }

    private static string? OfName(string path, BackupPolicy policy)
    {
        string? name = path.Split('/', '\\').FirstOrDefault(part => _private.Contains(part, StringComparer.OrdinalIgnoreCase))
            ?? _private.FirstOrDefault(part => Directory.Exists(Path.Combine(path, part)) && !policy.Files.Any(file => file.Exclude && LeavesOut(file.Path, part)));
        return name is null
            ? null
            : $"'{path}' contains '{name}', which a service uses for copies in transit. Leave it out: New-OBFileSpec '{name}' -Exclude.";
    }

    private static bool LeavesOut(string pattern, string name) =>
        pattern.TrimEnd('/', '\\').Split('/', '\\')[^1].Equals(name, StringComparison.OrdinalIgnoreCase);
}
