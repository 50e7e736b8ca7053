using System.Text;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>A whole tree as a client of WebDAV copies it, against what a restore of the same point brings back.</summary>
public sealed class WebDavTreeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task What_is_copied_is_what_is_restored_but_for_what_WebDAV_does_not_know(int seed)
    {
        await using var point = new ServedPoint("rclone");
        point.Tree
            .Populate(seed, items: 400)
            .File("large", 20 << 20, seed: 3)
            .Sparse("sparse", 300 << 20, (1 << 20, 5000), (200 << 20, 70_000))
            .File("empty", 0)
            .Directory("hollow/below")
            .File("times/before 1970", 10).Modified("times/before 1970", -86_400, 999_999_999)
            .File("times/after 2038", 10).Modified("times/after 2038", 5_000_000_000, 1);
        await point.BackUpAsync();
        string restored = await point.RestoreAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });

        // By itself rclone takes two names for one that differ only in how their letters are composed.
        Shell.RunChecked(
            "rclone", "--config", "/dev/null", "copy", "--create-empty-src-dirs", "--no-unicode-normalization", $"--webdav-url={server.Address}{point.Source[1..]}", ":webdav:", point.Folder["copy"]);

        int files = LeaveWhatIsKnown(UnixFile.Raw(restored), UnixFile.Raw(point.Folder["copy"]));
        Assert.InRange(files, 150, int.MaxValue);
        Assert.Equal([], TreeComparer.Compare(restored, point.Folder["copy"], TreeAspects.None));
        Assert.Empty(point.Reported);
    }

    [Fact]
    public async Task Of_a_file_of_more_than_4_GiB_every_part_is_had()
    {
        await using var point = new ServedPoint("curl");
        point.Tree.Sparse("huge", (5L << 30) + 3, (0, 1000), ((4L << 30) - 500, 1000), ((5L << 30) - 10, 13));
        await point.BackUpAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });
        string address = $"{server.Address}{point.Source[1..]}/huge";
        string got = point.Folder["got"];
        await using FileStream source = File.OpenRead(point.Source + "/huge");

        foreach ((string range, long offset, int length) in new[] { ("4294966796-4294967795", (4L << 30) - 500, 1000), ("-13", (5L << 30) - 10, 13), ("5368709110-", (5L << 30) - 10, 13), ("3000000000-3000099999", 3_000_000_000, 100_000) })
        {
            Shell.RunChecked("curl", "-sSf", "-r", range, "-o", got, address);
            byte[] expected = new byte[length];
            source.Position = offset;
            await source.ReadExactlyAsync(expected, Cancel);
            Assert.Equal(expected, await File.ReadAllBytesAsync(got, Cancel));
        }

        Assert.Contains("Content-Length: 5368709123", Shell.RunChecked("curl", "-sSfI", address), StringComparison.OrdinalIgnoreCase);
    }

    // Names as text, whole seconds, and neither links nor pipes. What links lead to is tried elsewhere.
    private static int LeaveWhatIsKnown(byte[] restored, byte[] copy)
    {
        int files = 0;
        foreach (byte[] name in UnixFile.List(restored))
        {
            byte[] path = UnixFile.Join(restored, name);
            byte[] shown = Encoding.UTF8.GetBytes(ServedName.Show(PathForm.Posix, name));
            byte[] copied = UnixFile.Join(copy, shown);
            UnixFileState state = UnixFile.Stat(path);
            switch (state.Kind)
            {
                case UnixFileKind.Directory:
                    files += LeaveWhatIsKnown(path, copied);
                    break;
                case UnixFileKind.File:
                    Assert.Equal((EntryName.Escape(path), state.Modified.Seconds), (EntryName.Escape(path), UnixFile.Find(copied)?.Modified.Seconds ?? 0));
                    files++;
                    break;
                case UnixFileKind.SymbolicLink:
                    UnixFile.Delete(path);
                    if (UnixFile.Find(copied) is not null)
                    {
                        UnixFile.Delete(copied);
                    }

                    continue;
                default:
                    UnixFile.Delete(path);
                    continue;
            }

            if (!shown.AsSpan().SequenceEqual(name))
            {
                UnixFile.Rename(path, UnixFile.Join(restored, shown));
            }
        }

        return files;
    }
}
