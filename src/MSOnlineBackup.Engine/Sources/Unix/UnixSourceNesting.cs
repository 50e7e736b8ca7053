using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>Sources that lie in one another.</summary>
internal static class UnixSourceNesting
{
    /// <summary>
    /// Whether a walk of one root would take another one with it: reached through no link, no mount that is not crossed, and nothing left out.
    /// </summary>
    /// <param name="system">The calls.</param>
    /// <param name="outer">The one root.</param>
    /// <param name="selection">What is taken of it.</param>
    /// <param name="inner">The other one.</param>
    public static bool Takes(UnixSystem system, byte[] outer, SourceSelection selection, byte[] inner)
    {
        ReadOnlySpan<byte> above = outer.AsSpan().TrimEnd((byte)'/');
        if (inner.Length <= above.Length || !inner.AsSpan().StartsWith(above) || inner[above.Length] != (byte)'/')
        {
            return false;
        }

        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, outer, filePatterns: selection.ExcludeFiles);
        ReadOnlySpan<byte> path = inner.AsSpan(above.Length + 1);
        int at = system.OpenDirectory(-1, outer, followLink: true);
        UnixStat parent = default;
        bool takes = at >= 0 && system.Stat(at, out parent) >= 0 && rules.MatchRoot(outer) == Exclusion.None;
        for (int end = 0; takes && end < path.Length; end++)
        {
            int length = path[end..].IndexOf((byte)'/');
            ReadOnlySpan<byte> name = length < 0 ? path[end..] : path.Slice(end, length);
            int next = -1;
            takes = system.Stat(at, name, out UnixStat stat) >= 0
                && stat.Kind is EntryKind.Directory or EntryKind.File
                && !rules.Match(path[..(end + name.Length)]).HasFlag(stat.Kind == EntryKind.Directory ? Exclusion.Folder : Exclusion.File)
                && !(stat.Kind == EntryKind.Directory ? selection.NonRecursive : stat.Size > selection.ExcludeLargerThan)
                && (selection.CrossMountPoints || !stat.IsMountedOn(parent))
                && !(selection.ExcludeCaches && UnixCacheTag.IsIn(system, at))
                && (stat.Kind == EntryKind.File || (next = system.OpenDirectory(at, name)) >= 0);
            if (next >= 0)
            {
                UnixSystem.Close(at);
                at = next;
            }

            parent = stat;
            end += name.Length;
        }

        if (at >= 0)
        {
            UnixSystem.Close(at);
        }

        return takes;
    }
}
