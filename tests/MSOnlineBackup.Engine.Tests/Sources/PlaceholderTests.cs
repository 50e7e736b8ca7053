using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>Items whose content is in a cloud (A41).</summary>
public sealed class PlaceholderTests : IDisposable
{
    private const uint Dataless = 0x4000_0000;

    private readonly TempFolder _folder = new();

    public PlaceholderTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Calls of POSIX systems.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_placeholder_is_refused_before_a_call_is_made_and_read_once_it_counts_as_present()
    {
        File.WriteAllText(_folder["file"], "content");
        UnixSystem system = UnixSystem.Current;
        using var tree = UnixSourceTree.Open(system, UnixFile.Raw(_folder.Path), SourceSelection.Everything);
        int folder = system.OpenDirectory(-1, UnixFile.Raw(_folder.Path));
        Assert.True(system.Stat(folder, "file"u8, out UnixStat stat) >= 0);
        stat.Flags |= Dataless;
        var item = new UnixSourceItem(system, tree);

        // The folder is closed: whatever is asked of it would fail otherwise.
        UnixSystem.Close(folder);
        item.MoveTo(EntryPath.Parse("file"), stat, folder, -1, SourcePlaceholder.Failure(tree.FullPath(EntryPath.Parse("file"))));
        foreach (BackupException refusal in new[] { Assert.Throws<BackupException>(item.ReadDetails), Assert.Throws<BackupException>(item.Open) })
        {
            Assert.Equal((BackupErrorId.SourceItemUnreadable, "0x8007018b"), (refusal.Id, refusal.ErrorCode));
            Assert.Contains("-AllowSource Placeholder", refusal.RecommendedAction, StringComparison.Ordinal);
        }

        stat.TakeForPresent();
        Assert.False(stat.IsPlaceholder);
        folder = system.OpenDirectory(-1, UnixFile.Raw(_folder.Path));
        item.MoveTo(EntryPath.Parse("file"), stat, folder, -1, null);
        using (ISourceFile file = item.Open())
        {
            byte[] content = new byte[16];
            Assert.Equal("content"u8, content.AsSpan(0, file.Read(0, content)));
        }

        UnixSystem.Close(folder);
    }
}
