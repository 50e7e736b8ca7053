using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class VaultRehydrateTests
{
    [Fact]
    public async Task A_folder_has_no_archive()
    {
        using var folder = new TempFolder();
        var run = new HostRun();

        Assert.Equal(2, await run.RunAsync("vault", "rehydrate", folder.Path));

        Assert.Contains("no archive", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_says_how_much_was_asked_for_and_is_on_its_way()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        string url = AzuriteServer.Shared.NewContainer();
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        using var folder = new TempFolder();
        Assert.Equal(0, await run.RunAsync("vault", "create", url, "--owner-file", folder["owner"]));

        Assert.Equal(0, await run.RunAsync("vault", "rehydrate", url, "--priority", "--json"));

        Assert.Contains("\"started\":0,\"startedBytes\":0,\"pending\":0,\"pendingBytes\":0", run.Output, StringComparison.Ordinal);
    }
}
