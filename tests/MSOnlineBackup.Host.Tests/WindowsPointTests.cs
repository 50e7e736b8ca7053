using System.Text.Json;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Tests;

/// <summary>What the commands show of a recovery point of a Windows machine, and take, on whatever machine they run.</summary>
public sealed class WindowsPointTests : IDisposable
{
    private const string Passphrase = "a passphrase for tests";

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Paths_are_shown_as_Windows_writes_them()
    {
        await MakeAsync();

        Assert.Equal("C:\\t\\src\\\n", (await RunAsync(0, "ls", "latest")).Output);
        Assert.Equal("C:\\t\\src\\One.txt\nC:\\t\\src\\sub\\\n", (await RunAsync(0, "ls", "latest", @"C:\t\src")).Output);
        Assert.EndsWith("  C:\\t\\src\\sub\\two.txt\n", (await RunAsync(0, "find", "two*")).Output, StringComparison.Ordinal);
        Assert.Contains(@"C:\t\src", (await RunAsync(0, "points")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain(@"\\", (await RunAsync(0, "points")).Output, StringComparison.Ordinal);
        Assert.Contains(@"C:\t\src\locked: It is locked.", (await RunAsync(0, "skipped", "latest")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documents_have_the_same_paths()
    {
        await MakeAsync();

        Assert.Equal(@"C:\t\src", Documents(await RunAsync(0, "points", "--json"), "point").Single().GetProperty("sources")[0].GetProperty("path").GetString());
        Assert.Equal(@"C:\t\src\sub\two.txt", Documents(await RunAsync(0, "find", "two.txt", "--json"), "item").Single().GetProperty("path").GetString());
        Assert.Equal(@"C:\t\src\locked", Documents(await RunAsync(0, "skipped", "latest", "--json"), "skipped").Single().GetProperty("path").GetString());
    }

    [Theory]
    [InlineData(@"c:\T\SRC\SUB")]
    [InlineData("C:/t/src/sub/")]
    [InlineData(@"C:\\t\\src/sub")]
    public async Task A_path_is_found_in_any_case_and_with_either_separator(string typed)
    {
        await MakeAsync();

        Assert.Equal("C:\\t\\src\\sub\\two.txt\n", (await RunAsync(0, "ls", "latest", typed)).Output);
        await RunAsync(0, "restore", "latest", typed, "--to", _folder["out"]);
        Assert.Equal("two", await File.ReadAllTextAsync(_folder["out/C/t/src/sub/two.txt"], Cancel));
    }

    [Fact]
    public async Task A_long_listing_shows_attributes_where_others_have_modes()
    {
        await MakeAsync();

        string[] lines = (await RunAsync(0, "ls", "latest", @"C:\t\src", "-l")).Output.Split('\n');

        Assert.StartsWith("-arh-  ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(@"C:\t\src\One.txt", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("d---s  ", lines[1], StringComparison.Ordinal);
        JsonElement item = Documents(await RunAsync(0, "ls", "latest", @"C:\t\src\one.txt", "--json"), "item").Single();
        Assert.Equal(["ReadOnly", "Hidden", "Archive"], item.GetProperty("attributes").EnumerateArray().Select(value => value.GetString()));
    }

    [Fact]
    public async Task What_is_skipped_by_a_restore_is_named_as_the_point_has_it()
    {
        await MakeAsync();
        Directory.CreateDirectory(_folder["out/C/t/src"]);
        await File.WriteAllTextAsync(_folder["out/C/t/src/One.txt"], "mine", Cancel);

        HostRun run = await RunAsync(3, "restore", "latest", "--to", _folder["out"]);

        Assert.Contains(@"skipped: C:\t\src\One.txt: 'C/t/src/One.txt' already exists in the target", run.Error, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonElement> Documents(HostRun run, string type) =>
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("type").GetString() == type);

    private async Task MakeAsync()
    {
        await RunAsync(0, "vault", "create", _folder["vault"], "--owner-file", _folder["owner"]);
        await new WindowsPoint()
            .File("One.txt", "one", FileAttributes.Archive | FileAttributes.ReadOnly | FileAttributes.Hidden)
            .Folder("sub", FileAttributes.System)
            .File("sub/two.txt", "two")
            .Skip(@"C:\\t\\src/locked")
            .CommitAsync(new FolderVaultStore(_folder["vault"]), Passphrase, @"C:\\t\\src", Cancel);
    }

    private async Task<HostRun> RunAsync(int exitCode, params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Passphrase, ["OBENGINE_VAULT"] = _folder["vault"] } };
        int code = await run.RunAsync(arguments);
        Assert.True(code == exitCode, $"{string.Join(' ', arguments)} ended with {code}:\n{run.Output}\n{run.Error}");
        return run;
    }
}
