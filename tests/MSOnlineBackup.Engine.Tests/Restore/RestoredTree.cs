using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>What a target must have after a restore.</summary>
internal static class RestoredTree
{
    public static void AssertSame(RestoreFixture vault, IReadOnlyCollection<ManifestEntry> expected, MemoryTarget target)
    {
        foreach (ManifestEntry entry in expected)
        {
            MemoryTarget.Node item = target[("src/" + entry.Path).TrimEnd('/')];
            Assert.Equal(entry.Kind, item.Entry.Kind);
            Assert.Equal(entry.Metadata, item.Entry.Metadata);
            Assert.Equal(entry.LinkTarget.ToArray(), item.Entry.LinkTarget.ToArray());
            if (entry.Kind == EntryKind.File)
            {
                Assert.Equal(vault.Contents[entry.Path], item.Content);
            }
        }

        HashSet<string> allowed = [.. expected.SelectMany(entry => Ancestors(("src/" + entry.Path).TrimEnd('/')))];
        Assert.DoesNotContain(target.Paths, path => !allowed.Contains(path));
    }

    public static void AssertOnlyWholeFiles(RestoreFixture vault, MemoryTarget target)
    {
        foreach (ManifestEntry entry in vault.Entries.Where(entry => entry.Kind == EntryKind.File && target.Has("src/" + entry.Path)))
        {
            Assert.Equal(vault.Contents[entry.Path], target["src/" + entry.Path].Content);
        }
    }

    private static IEnumerable<string> Ancestors(string path)
    {
        for (; path.Length > 0; path = path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : "")
        {
            yield return path;
        }
    }
}
