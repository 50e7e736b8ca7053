using MSOnlineBackup.Engine.Sources.Rules;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>What of a folder is taken.</summary>
public sealed record SourceSelection
{
    /// <summary>Everything.</summary>
    public static SourceSelection Everything { get; } = new();

    /// <summary>
    /// Glob patterns of what is left out, in the way of .gitignore without negation. A pattern with a '/' that is not its last character is
    /// absolute where it begins with '/' (matched against the full path) and otherwise relative to the source's root;
    /// one without matches a name at any depth. '*', '?' and sets <c>[a-z]</c>, <c>[!a-z]</c> stay within a component, <c>**</c> crosses. A trailing '/'
    /// matches folders only. A folder that matches is left out with all below it, and not listed.
    /// </summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Patterns in the same form of what is left out unless it is a folder.</summary>
    public IReadOnlyList<string> ExcludeFiles { get; init; } = [];

    /// <summary>Whether folders tagged by a <c>CACHEDIR.TAG</c> with the standard signature are left out but for the tag.</summary>
    public bool ExcludeCaches { get; init; }

    /// <summary>Files larger than this, in bytes, are left out; null for no limit.</summary>
    public long? ExcludeLargerThan { get; init; }

    /// <summary>Whether folders below the root are left out (their own entries included).</summary>
    public bool NonRecursive { get; init; }

    /// <summary>Whether mount points below the root are entered. Pseudo file systems (proc, sysfs, …) never are. A mount
    /// point that is not entered is kept as an empty folder.</summary>
    public bool CrossMountPoints { get; init; }

    /// <summary>Which mounts are entered, where any are, and whether what is in a cloud is fetched.</summary>
    internal SourceRules Rules { get; init; } = SourceRules.Open;
}
