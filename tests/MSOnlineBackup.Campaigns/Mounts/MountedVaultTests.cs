using System.Diagnostics;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>Real mounts of real vaults, by <c>obengine mount</c>: beside backups and maintenance, over a vault that goes away, and killed.</summary>
public sealed class MountedVaultTests : IDisposable
{
    private readonly Obengine _obengine = new();

    public static bool CanMount => FuseMount.IsAvailable && Environment.IsPrivilegedProcess;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Mounted => _obengine.Folder["mounted"];

    private string[] State => ["--state", _obengine.Folder["state"]];

    public void Dispose()
    {
        MountFolder.Clean(Mounted);
        _obengine.Dispose();
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task Backups_and_maintenance_go_on_beside_a_mount_and_take_nothing_from_it()
    {
        string copy = await PrepareAsync();
        using Process mount = await MountAsync();
        for (int round = 1; round < 6; round++)
        {
            Tree().Edit(round);
            await SucceedAsync("backup", _obengine.Source, "--quiet");
            await SucceedAsync("maintain", "--quiet");
            Assert.Equal([], TreeComparer.Compare(copy, Mounted + _obengine.Source));
        }

        await EndAsync(mount);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Mounted));
    }

    [Theory(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    public async Task What_was_on_a_file_system_is_mounted_with_all_its_metadata(string kind)
    {
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"This machine cannot make {kind}.");
        await _obengine.CreateVaultAsync();
        using MountedFileSystem disk = MountedFileSystem.InImage(_obengine.Folder["image"], _obengine.Source, kind);
        Tree().Populate(11, items: 400).Sparse("sparse", 3L << 30, (1 << 20, 5000), (2L << 30, 70_000)).File("large", 20 << 20, seed: 3);
        await SucceedAsync("backup", _obengine.Source, "--quiet");

        using Process mount = await MountAsync();

        Assert.Equal([], TreeComparer.Compare(_obengine.Source, Mounted + _obengine.Source));
        await EndAsync(mount);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_vault_that_goes_away_gives_errors_and_all_is_there_when_it_is_back()
    {
        string copy = await PrepareAsync();
        using Process mount = await MountAsync();
        string large = $"{Mounted}{_obengine.Source}/large";
        Directory.Move(_obengine.Vault, _obengine.Vault + ".away");

        Assert.Contains("Input/output error", Shell.Run("cat", large).Output, StringComparison.Ordinal);
        Directory.Move(_obengine.Vault + ".away", _obengine.Vault);

        Assert.Equal([], TreeComparer.Compare(copy, Mounted + _obengine.Source));
        await EndAsync(mount);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_vault_far_away_is_mounted_as_one_nearby_also_where_answers_are_lost()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        await using var proxy = new FaultProxy(new Uri(AzuriteServer.Shared.Url)) { Delay = TimeSpan.FromMilliseconds(30) };
        string container = AzuriteServer.Shared.NewContainer();
        _obengine.Vault = $"{proxy.Url.ToString().TrimEnd('/')}/{container[(container.LastIndexOf('/') + 1)..]}";
        _obengine.Variables["AZURE_STORAGE_CONNECTION_STRING"] = AzuriteServer.Shared.ConnectionString.Replace(
            AzuriteServer.Shared.Url, proxy.Url.ToString().TrimEnd('/'), StringComparison.Ordinal);
        await _obengine.CreateVaultAsync(_obengine.Folder["owner"]);
        Tree().Populate(9, items: 200).File("large", 12 << 20, seed: 7);
        await SucceedAsync("backup", _obengine.Source, "--quiet");
        using Process mount = await MountAsync();
        proxy.Decide = FaultProxy.AtRandom(3, 6, new NetworkFault.Loss(), new NetworkFault.TornBody(3_000), new NetworkFault.Answer(503, "ServerBusy", TimeSpan.Zero));

        Assert.Equal([], TreeComparer.Compare(_obengine.Source, Mounted + _obengine.Source));
        proxy.Decide = _ => null;
        await EndAsync(mount);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_damaged_file_is_named_by_its_full_path_and_once()
    {
        await _obengine.CreateVaultAsync();
        Tree().File("below/large", 12 << 20, seed: 7);
        await SucceedAsync("backup", _obengine.Source, "--quiet");
        VaultDamage.AlterLargestPack(_obengine.Vault);
        using Process mount = await MountAsync();
        string path = _obengine.Source + "/below/large";

        Assert.Contains("Input/output error", Shell.Run("cat", Mounted + path).Output, StringComparison.Ordinal);
        Assert.Contains("Input/output error", Shell.Run("cat", Mounted + path).Output, StringComparison.Ordinal);

        Run listed = await _obengine.RunAsync(["mounts", .. State]);
        Assert.Contains($"could not be read, last {path}: ", listed.Output, StringComparison.Ordinal);
        Run ended = await _obengine.RunAsync(["unmount", Mounted, .. State]);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        string told = Assert.Single((await Obengine.FinishAsync(mount)).Error.Split('\n'), line => line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.StartsWith($"warning: Not all of '{path}' can be read: Object '", told, StringComparison.Ordinal);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task A_folder_that_is_reached_by_a_link_is_mounted_on_and_unmounted_by_either_name()
    {
        await PrepareAsync();
        Directory.CreateDirectory(Mounted);
        string link = _obengine.Folder["link"];
        File.CreateSymbolicLink(link, Mounted);
        using Process mount = _obengine.StartOnVault(["mount", "latest", link, "--quiet", .. State]);
        await WaitAsync(mount);

        Run ended = await _obengine.RunAsync(["unmount", link, .. State]);

        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.False(MountFolder.IsMounted(Mounted));
        Assert.Equal(0, (await Obengine.FinishAsync(mount)).ExitCode);
    }

    [Fact(SkipUnless = nameof(CanMount), Skip = "Mounting takes /dev/fuse, and root.")]
    public async Task Killed_at_any_moment_it_leaves_nothing_that_the_next_does_not_clean()
    {
        string copy = await PrepareAsync();
        var random = new Random(20261130);
        for (int round = 0, rounds = Testing.Campaign.Rounds(usual: 4, full: 50); round < rounds; round++)
        {
            using Process mount = Start(round % 4 == 3 ? "--writable" : "--quiet");
            if (round % 2 == 0)
            {
                await WaitAsync(mount);
                using Process reading = Process.Start("sh", ["-c", $"cat {Mounted}{_obengine.Source}/large {Mounted}{_obengine.Source}/*/* > /dev/null 2>&1"]);
                await Task.Delay(random.Next(200), Stop);
                mount.Kill();

                // Whoever reads gets errors, and is not left waiting.
                await reading.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(60), Stop);
            }
            else
            {
                await Task.Delay(random.Next(1500), Stop);
                mount.Kill();
            }

            await mount.WaitForExitAsync(Stop);
            Run listed = await _obengine.RunAsync(["mounts", .. State]);
            Assert.True(listed.ExitCode == 0 && listed.Output.Contains("Nothing is mounted", StringComparison.Ordinal), $"round {round}: {listed}");
            Assert.False(MountFolder.IsMounted(Mounted));
            string records = _obengine.Folder["state", "mounts"];
            Assert.Empty(Directory.Exists(records) ? Directory.EnumerateFileSystemEntries(records) : []);
        }

        using Process last = await MountAsync();
        Assert.Equal([], TreeComparer.Compare(copy, Mounted + _obengine.Source));
        await EndAsync(last);
    }

    private SourceTreeBuilder Tree() => new(_obengine.Source);

    private async Task<string> PrepareAsync()
    {
        await _obengine.CreateVaultAsync();
        Tree().Populate(5, items: 200).File("large", 12 << 20, seed: 7);
        await SucceedAsync("backup", _obengine.Source, "--quiet");
        string copy = _obengine.Folder["copy"];
        Shell.RunChecked("cp", "-a", _obengine.Source, copy);
        return copy;
    }

    private async Task SucceedAsync(params string[] arguments)
    {
        Run run = await _obengine.OnVaultAsync(arguments);
        Assert.True(run.ExitCode is 0 or 3, run.ToString());
    }

    private Process Start(string option) => _obengine.StartOnVault(["mount", "latest", Mounted, option, .. State]);

    private async Task<Process> MountAsync()
    {
        Process mount = Start("--quiet");
        await WaitAsync(mount);
        return mount;
    }

    private async Task WaitAsync(Process mount)
    {
        while (!MountFolder.IsMounted(Mounted))
        {
            Assert.False(mount.HasExited);
            await Task.Delay(20, Stop);
        }
    }

    private async Task EndAsync(Process mount)
    {
        Run ended = await _obengine.RunAsync(["unmount", Mounted, .. State]);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Run served = await Obengine.FinishAsync(mount);
        Assert.True(served.ExitCode is 0 or 3, served.ToString());
    }
}
