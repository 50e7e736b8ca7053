using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>An account that may not read, own or set everything.</summary>
public sealed class UnprivilegedTests : IDisposable
{
    private const uint Nobody = 65534;

    private readonly TempFolder _folder = new();
    private readonly Obengine _program;
    private readonly SourceTreeBuilder _tree;

    public UnprivilegedTests()
    {
        _program = new Obengine("setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups") { Vault = _folder["vault"] };
        _tree = new SourceTreeBuilder(Source).Describe(
            """
            f own/file 100K 640
            f own/large 2M 600
            d own/empty 700
            l own/link -> file
            """);
    }

    private string Source => _folder["source"];

    public void Dispose()
    {
        _program.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_the_account_may_not_read_is_skipped_and_listed_and_the_rest_comes_back()
    {
        SkipUnlessPossible();
        HandOver();
        _tree.Describe(
            """
            f roots/readable 50K 644
            f roots/secret 50K 600
            f roots/closed/inside 50K 644
            d roots/closed 700
            d roots/open 755
            """);
        await _program.CreateVaultAsync(_folder["home", "VaultOwner"]);

        Run backup = await _program.OnVaultAsync("backup", Source, "--quiet");

        Assert.True(backup.ExitCode == 3, backup.ToString());
        string[] unreadable = [Source + "/roots/closed", Source + "/roots/secret"];
        Assert.All(unreadable, path => Assert.Contains($"skipped: {path}:", backup.Error, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", backup.Error, StringComparison.Ordinal);

        UnlockedVault engine = await new FolderVault(_folder["vault"]).OpenAsync();
        RecoveryPoint point = await engine.GetPointAsync("latest", null, TestContext.Current.CancellationToken);
        List<SkippedItem> skipped =
            await engine.ListSkippedAsync(point, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal((RecoveryPointStatus.CompletedWithWarnings, 2), (point.Status, point.SkippedCount));
        Assert.Equal(unreadable, skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.All(skipped, item => Assert.Equal(BackupErrorId.SourceItemUnreadable, item.Id));

        // Root's items become the account's, which is said once for all, though the first was in trouble already.
        Run restore = await _program.OnVaultAsync("restore", "latest", "--to", _folder["home", "target"], "--quiet");
        Assert.True(restore.ExitCode == 3, restore.ToString());
        string[] reports = restore.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(
            unreadable,
            path => Assert.Single(reports, line => line.StartsWith($"skipped: {path}: The recovery point has no content", StringComparison.Ordinal)));
        Assert.Single(reports, line => line.Contains(nameof(BackupErrorId.RestoreMetadataFailed), StringComparison.Ordinal));
        Assert.Equal(unreadable.Length + 1, reports.Length);

        _tree.Delete("roots/secret").Delete("roots/closed");
        Assert.Equal([$"/roots/closed: is there, but should not be"], ComparedWithTarget(TreeAspects.Mode));
        Assert.Empty(TreeComparer.Compare(Source + "/own", _folder["home", "target"] + Source + "/own"));
    }

    [Fact]
    public async Task An_account_restores_its_own_without_a_word()
    {
        SkipUnlessPossible();
        HandOver();
        await _program.CreateVaultAsync(_folder["home", "VaultOwner"]);

        Run backup = await _program.OnVaultAsync("backup", Source, "--quiet");
        Run restore = await _program.OnVaultAsync("restore", "latest", "--to", _folder["home", "target"], "--quiet");

        Assert.True(backup.ExitCode == 0, backup.ToString());
        Assert.True(restore.ExitCode == 0, restore.ToString());
        Assert.Empty(restore.Error);
        Assert.Empty(ComparedWithTarget(TreeAspects.All));
    }

    private IReadOnlyList<string> ComparedWithTarget(TreeAspects aspects) => TreeComparer.Compare(Source, _folder["home", "target"] + Source, aspects);

    private void SkipUnlessPossible()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Becoming another account needs root on Linux.");
        Assert.SkipUnless(_program.IsReachable, "The account may not read the built program.");
    }

    // Everything so far, and folders for vault and target, become the account's.
    private void HandOver()
    {
        Shell.RunChecked("chmod", "755", _folder.Path, _program.Folder.Path);
        Directory.CreateDirectory(_folder["vault"]);
        Directory.CreateDirectory(_folder["home"]);
        Shell.RunChecked("chown", "-Rh", $"{Nobody}:{Nobody}", Source, _folder["vault"], _folder["home"]);
    }
}
