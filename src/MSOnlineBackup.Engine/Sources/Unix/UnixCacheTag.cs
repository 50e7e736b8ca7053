using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>Finds <see cref="CacheTag"/>.</summary>
internal static class UnixCacheTag
{
    /// <summary>Whether a folder is marked as a cache: it holds a file of that name which begins so.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="folder">The folder.</param>
    public static bool IsIn(UnixSystem system, int folder)
    {
        int tag = system.OpenFile(folder, CacheTag.Name);
        if (tag < 0)
        {
            return false;
        }

        Span<byte> content = stackalloc byte[CacheTag.Signature.Length];
        bool isTag = system.Stat(tag, out UnixStat stat) >= 0
            && stat.Kind == EntryKind.File
            && UnixSystem.Read(tag, 0, content) == content.Length
            && content.SequenceEqual(CacheTag.Signature);
        UnixSystem.Close(tag);
        return isTag;
    }
}
