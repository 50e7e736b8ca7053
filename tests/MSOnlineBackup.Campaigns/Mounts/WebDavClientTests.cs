using System.Diagnostics;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Clients of WebDAV as they are installed, against the server.</summary>
public sealed class WebDavClientTests
{
    [Fact]
    public async Task Rclone_copies_a_tree_byte_for_byte()
    {
        await using var point = new ServedPoint("rclone");
        Fill(point.Tree);
        await point.BackUpAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });

        Shell.RunChecked("rclone", "--config", "/dev/null", "copy", $"--webdav-url={server.Address}{point.Source[1..]}", ":webdav:", point.Folder["copy"]);

        // rclone makes no empty folders, and knows neither pipes nor links: of these it gets what they lead to.
        Directory.Delete(Path.Combine(point.Source, "hollow"));
        File.Delete(Path.Combine(point.Source, "a b", "pipe"));
        File.Delete(Path.Combine(point.Source, "back"));
        File.Delete(Path.Combine(point.Source, "link"));
        File.Copy(Path.Combine(point.Source, "a b", "small"), Path.Combine(point.Source, "link"));
        Assert.Empty(TreeComparer.Compare(point.Source, point.Folder["copy"], TreeAspects.None));
        Assert.Empty(point.Reported);
    }

    [Fact]
    public async Task Rclone_reports_a_damaged_file_and_copies_the_rest()
    {
        await using var point = new ServedPoint("rclone");
        point.Tree.File("large", 6_000_000, seed: 1).File("small", 500, seed: 2);
        await point.BackUpAsync();
        await point.DamageAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });

        (int code, string output) = Shell.Run(
            "rclone", "--config", "/dev/null", "--retries", "1", "--low-level-retries", "1", "copy", $"--webdav-url={server.Address}{point.Source[1..]}", ":webdav:", point.Folder["copy"]);

        Assert.True(code != 0, output);
        Assert.False(File.Exists(point.Folder["copy/large"]));
        Assert.Equal(await File.ReadAllBytesAsync(point.Source + "/small", TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(point.Folder["copy/small"], TestContext.Current.CancellationToken));
        Assert.NotEmpty(point.Reported);
    }

    [Fact]
    public async Task Cadaver_lists_and_gets()
    {
        await using var point = new ServedPoint("cadaver");
        Fill(point.Tree);
        await point.BackUpAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });

        var start = new ProcessStartInfo("cadaver", [$"{server.Address}{point.Source[1..]}/"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["HOME"] = point.Folder.Path;
        using Process cadaver = Process.Start(start)!;
        await cadaver.StandardInput.WriteAsync($"ls\nget large {point.Folder["got"]}\nput /etc/hostname new\nquit\n");
        cadaver.StandardInput.Close();
        string output = await cadaver.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await cadaver.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Contains("a b", output, StringComparison.Ordinal);
        Assert.Contains("403", output, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllBytesAsync(point.Source + "/large", TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(point.Folder["got"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Curl_goes_on_where_it_was_cut_off_and_leaves_what_it_has()
    {
        await using var point = new ServedPoint("curl");
        Fill(point.Tree);
        await point.BackUpAsync();
        await using WebDavServer server = WebDavServer.Start(point.View, new WebDavOptions { Report = point.Report });
        string address = $"{server.Address}{point.Source[1..]}/large";
        byte[] content = await File.ReadAllBytesAsync(point.Source + "/large", TestContext.Current.CancellationToken);
        string got = point.Folder["got"];
        await File.WriteAllBytesAsync(got, content[..1_234_567], TestContext.Current.CancellationToken);

        Shell.RunChecked("curl", "-sSf", "-C", "-", "-o", got, address);
        Assert.Equal(content, await File.ReadAllBytesAsync(got, TestContext.Current.CancellationToken));
        Shell.RunChecked("curl", "-sSf", "--etag-save", point.Folder["tag"], "-o", got, address);
        Assert.Equal("304", Shell.RunChecked("curl", "-sS", "--etag-compare", point.Folder["tag"], "-o", got, "-w", "%{http_code}", address));
        Assert.Equal("401", Shell.RunChecked("curl", "-sS", "-o", got, "-w", "%{http_code}", server.Root.ToString()));
        Assert.Equal("206", Shell.RunChecked("curl", "-sS", "-u", $"x:{server.Secret}", "-r", "-5", "-o", got, "-w", "%{http_code}", $"{server.Root}{point.Source[1..]}/large"));
    }

    private static void Fill(SourceTreeBuilder tree) => tree
        .Directory("a b")
        .File("a b/small", 500, seed: 2)
        .File("large", 5_000_000, seed: 1)
        .File("empty", 0)
        .Directory("日本")
        .File("日本/100% #1?;&+'\".txt", 70_000, seed: 3)
        .Sparse("sparse", 3_000_000, (1_000_000, 5000))
        .Directory("hollow")
        .Link("link", "a b/small")
        .Link("back", ".")
        .Pipe("a b/pipe");
}
