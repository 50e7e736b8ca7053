using System.Text.Json;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class TrafficTests
{
    [Fact]
    public async Task A_summary_tells_all_that_the_command_has_asked_of_the_vault()
    {
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["file"], new byte[1000], TestContext.Current.CancellationToken);
        string vault = folder["vault"];
        Assert.Equal(0, await NewRun().RunAsync("vault", "create", vault, "--owner-file", folder["owner"]));

        JsonElement backup = await TrafficOfAsync("backup", folder["file"], "--vault", vault);
        AssertMore(backup, "writes", "lists", "reads", "sentBytes", "fetchedBytes");

        // The vault is opened and the restore planned by listings; the restore itself makes none.
        JsonElement restore = await TrafficOfAsync("restore", "latest", "--vault", vault, "--to", folder["back"]);
        AssertMore(restore, "lists", "reads", "fetchedBytes");
        AssertNone(restore, "writes", "sentBytes");

        // What was read and found is put on record.
        JsonElement verification = await TrafficOfAsync("verify", "--vault", vault, "--read-data");
        AssertMore(verification, "lists", "reads", "fetchedBytes");
        Assert.Equal(1, verification.GetProperty("writes").GetInt64());

        JsonElement packs = await TrafficOfAsync("verify", "--vault", vault, "--read-packs");
        AssertMore(packs, "lists", "reads", "fetchedBytes");
        AssertNone(packs, "writes", "sentBytes");
    }

    [Fact]
    public async Task People_are_told_too()
    {
        using var folder = new TempFolder();
        Assert.Equal(0, await NewRun().RunAsync("vault", "create", folder["vault"], "--owner-file", folder["owner"]));
        HostRun run = NewRun();

        Assert.Equal(0, await run.RunAsync("verify", "--vault", folder["vault"], "--read-packs"));

        Assert.Matches(@"(?m)^asked     0 writes, [1-9]\d* listings?, [1-9]\d* reads?, ", run.Output);
    }

    private static HostRun NewRun() => new() { Variables = { ["OBENGINE_PASSPHRASE"] = "a passphrase for tests" } };

    private static async Task<JsonElement> TrafficOfAsync(params string[] command)
    {
        HostRun run = NewRun();
        Assert.Equal(0, await run.RunAsync([.. command, "--json"]));
        using JsonDocument summary = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]);
        return summary.RootElement.GetProperty("traffic").Clone();
    }

    private static void AssertMore(JsonElement traffic, params string[] counts) =>
        Assert.All(counts, count => Assert.NotEqual(0, traffic.GetProperty(count).GetInt64()));

    private static void AssertNone(JsonElement traffic, params string[] counts) =>
        Assert.All(counts, count => Assert.Equal(0, traffic.GetProperty(count).GetInt64()));
}
