using System.Text;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Scripts;

/// <summary>
/// Scripts around the snapshots of a backup: their order, what becomes of the point where one fails, and that the second is run whenever the first was.
/// </summary>
public sealed class SnapshotScriptsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ScriptFolder _scripts;

    public SnapshotScriptsTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The scripts of these tests are Unix's.");
        _scripts = new ScriptFolder(_folder["scripts"]);
        new SourceTreeBuilder(_folder["source"]).File("a", 10);
    }

    public static TheoryData<string, string, BackupErrorId> Faults => new()
    {
        { "rm pre.sh", "Pre-ScriptNotFound", BackupErrorId.ScriptNotFound },
        { "rm post.sh", "Post-ScriptNotFound", BackupErrorId.ScriptNotFound },
        { "chmod 755 pre.sh", "InsufficientPermissionforPre-Script", BackupErrorId.ScriptUntrusted },
        { "chmod 755 post.sh", "InsufficientPermissionforPost-Script", BackupErrorId.ScriptUntrusted },
    };

    public static TheoryData<string, string> Failures => new()
    {
        { "pre.sh", "Pre-ScriptExecutionFailed" },
        { "post.sh", "Post-ScriptExecutionFailed" },
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task They_run_around_the_snapshot_with_their_arguments_and_the_point_is_of_applications()
    {
        _scripts.Settings["preScriptParams"] = new JsonArray("a b", "");
        _scripts.Set("postScriptParams", new JsonArray("c"));
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        Assert.Equal(["pre a b", "take", "post c", "remove"], _scripts.ReadLog());
        Assert.Empty(vault.Warnings);
        Assert.Equal(RecoveryPointStatus.Completed, backup.Point.Status);
        Assert.Equal(
            new SourceConsistency(ConsistencyLevel.Application, "Folder", $"The scripts of '{_scripts.File}' were run around the snapshot."),
            backup.Point.Sources[0].Consistency);
        Assert.Equal(ConsistencyLevel.Application, Assert.Single(await vault.PointsAsync()).Consistency!.Level);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Where_one_fails_the_point_is_as_the_snapshot_by_itself_and_says_why(string script, string code)
    {
        Fail(script);
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        Assert.Equal(["pre", "take", "post", "remove"], _scripts.ReadLog());
        BackupException warning = Assert.Single(vault.Warnings);
        Assert.Equal((BackupErrorId.ScriptFailed, code, _scripts.Path + "/" + script), (warning.Id, warning.ErrorCode, warning.Target));
        Assert.EndsWith("ended with status 3: no luck", warning.Message, StringComparison.Ordinal);
        Assert.True(vault.Monitor.HasWarnings);
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, backup.Point.Status);
        Assert.Equal(new SourceConsistency(ConsistencyLevel.Crash, "Folder", warning.Message), backup.Point.Sources[0].Consistency);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Where_that_is_asked_for_there_is_no_point_then_and_the_second_is_run_all_the_same(string script, string code)
    {
        Fail(script);
        _scripts.Set("continueBackupOnFailure", false);
        FolderVault vault = await CreateVaultAsync();

        BackupException e = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Request()));

        Assert.Equal((BackupErrorId.ScriptFailed, code), (e.Id, e.ErrorCode));
        Assert.Equal(script == "pre.sh" ? ["pre", "post"] : ["pre", "take", "post", "remove"], _scripts.ReadLog());
        Assert.Empty(await vault.PointsAsync());
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Neither_is_run_where_one_cannot_be(string sabotage, string code, BackupErrorId id)
    {
        Shell.RunChecked("sh", "-c", $"cd '{_scripts.Path}' && {sabotage}");
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());
        BackupException warning = Assert.Single(vault.Warnings);
        _scripts.Set("continueBackupOnFailure", false);
        BackupException e = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Request()));

        Assert.Equal((id, code), (warning.Id, warning.ErrorCode));
        Assert.Equal((id, code), (e.Id, e.ErrorCode));
        Assert.Equal(["take", "remove"], _scripts.ReadLog());
        Assert.Equal((ConsistencyLevel.Crash, RecoveryPointStatus.CompletedWithWarnings), (backup.Point.Consistency!.Level, backup.Point.Status));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_costs_the_consistency_alone()
    {
        _scripts.SaveText("{ \"timeoutInSeconds\" : 30, }");
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        Assert.Equal("IncorrectJSONConfigFile", Assert.Single(vault.Warnings).ErrorCode);
        Assert.Equal((ConsistencyLevel.Crash, RecoveryPointStatus.CompletedWithWarnings), (backup.Point.Consistency!.Level, backup.Point.Status));
        Assert.Contains(_scripts.File, backup.Point.Consistency.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public async Task One_that_fails_is_run_again_as_often_as_it_may_be(int retries, bool succeeds)
    {
        _scripts.Write("pre.sh", $"echo pre >>'{_scripts.Log}'; [ \"$(wc -l <'{_scripts.Log}')\" -ge 3 ]");
        _scripts.Set("preScriptNoOfRetries", retries);
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        Assert.Equal([.. Enumerable.Repeat("pre", retries + 1), "take", "post", "remove"], _scripts.ReadLog());
        Assert.Equal(succeeds ? ConsistencyLevel.Application : ConsistencyLevel.Crash, backup.Point.Consistency!.Level);
    }

    [Fact]
    public async Task One_that_takes_too_long_is_killed_with_all_that_it_began_and_not_tried_again()
    {
        _scripts.Write("pre.sh", $"echo pre >>'{_scripts.Log}'; sh -c 'echo $$ >{_folder["child"]}; exec sleep 1000'");
        _scripts.Settings["preScriptNoOfRetries"] = 5;
        _scripts.Set("timeoutInSeconds", 1);
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        BackupException warning = Assert.Single(vault.Warnings);
        Assert.Equal((BackupErrorId.ScriptTimedOut, "Pre-ScriptTimeout"), (warning.Id, warning.ErrorCode));
        Assert.Equal(["pre", "take", "post", "remove"], _scripts.ReadLog());
        Assert.Equal(ConsistencyLevel.Crash, backup.Point.Consistency!.Level);
        string child = (await File.ReadAllTextAsync(_folder["child"], Cancel)).Trim();
        Assert.True(Shell.Run("ps", "-o", "stat=", "-p", child).Output.Trim() is "" or ['Z', ..], "It still runs.");
    }

    [Fact]
    public async Task The_second_takes_too_long()
    {
        _scripts.Write("post.sh", "exec sleep 1000");
        _scripts.Set("timeoutInSeconds", 1);
        FolderVault vault = await CreateVaultAsync();

        await vault.BackUpAsync(Request());

        Assert.Equal("Post-ScriptTimeout", Assert.Single(vault.Warnings).ErrorCode);
    }

    // As a session that holds a database still does: it is not to be ended by the end of its output.
    [Fact]
    public async Task What_the_first_leaves_running_goes_on_until_the_second()
    {
        // It ends with the test's folder at the latest: on a busy machine that is gone before the file is seen.
        string folder = Path.GetDirectoryName(_folder["over"])!;
        _scripts.Write("pre.sh", $"while [ -d '{folder}' ] && [ ! -e '{_folder["over"]}' ]; do echo .; echo . >&2; sleep 0.05; done & echo $! >'{_folder["session"]}'");
        _scripts.Write("post.sh", $"kill -0 \"$(cat '{_folder["session"]}')\" && touch '{_folder["over"]}'");
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request());

        Assert.Equal(ConsistencyLevel.Application, backup.Point.Consistency!.Level);
    }

    [Fact]
    public async Task The_second_is_run_where_the_snapshots_fail()
    {
        FolderVault vault = await CreateVaultAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => vault.BackUpAsync(Request(() => throw new InvalidOperationException("a bug"))));

        Assert.Equal(["pre", "take", "remove", "post"], _scripts.ReadLog());
    }

    [Fact]
    public async Task The_second_is_run_where_the_backup_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        _scripts.Write("pre.sh", $"echo pre >>'{_scripts.Log}'; exec sleep 1000");
        FolderVault vault = await CreateVaultAsync();
        Task<BackupResult> backup = vault.BackUpAsync(Request(), stop.Token);
        while (_scripts.ReadLog().Count == 0)
        {
            await Task.Delay(5, Cancel);
        }

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backup);
        Assert.Equal(["pre", "post"], _scripts.ReadLog());
    }

    [Fact]
    public async Task Without_a_snapshot_nothing_keeps_what_they_brought_into_order()
    {
        FolderVault vault = await CreateVaultAsync();

        BackupResult backup = await vault.BackUpAsync(Request() with { Snapshots = new SnapshotOptions(SnapshotMode.Never, _folder["records"]) });

        Assert.Equal(["pre", "post"], _scripts.ReadLog());
        Assert.Equal(
            "Snapshots are switched off. Scripts were run, but no snapshot keeps what they brought into order.",
            Assert.IsType<SourceConsistency>(backup.Point.Consistency).Reason);
        Assert.Equal(ConsistencyLevel.None, backup.Point.Consistency.Level);
    }

    private void Fail(string script) =>
        _scripts.Write(script, $"echo {Path.GetFileNameWithoutExtension(script)} >>'{_scripts.Log}'; echo no luck >&2; exit 3");

    private Task<FolderVault> CreateVaultAsync() => FolderVault.CreateAsync(_folder["vault"]);

    private BackupRequest Request(Action? onTake = null)
    {
        var maker = new FolderMaker(_scripts.Log, onTake);
        return new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(_folder["source"], SourceSelection.Everything)],
            Snapshots = new SnapshotOptions(SnapshotMode.Auto, _folder["records"]),
            ScriptFile = _scripts.File,
            SnapshotKit = new SnapshotKit([maker], (path, _) => new SourceVolumes(
                Encoding.UTF8.GetBytes(path),
                new VolumePart(EntryPath.Root, VolumeAt(path), null),
                [])),
        };
    }

    private static SnapshotVolume VolumeAt(string path) => new() { Path = Encoding.UTF8.GetBytes(path), FileSystem = "folder", Device = "none", Identity = "1" };

    // "Snapshots" are the folders themselves.
    private sealed class FolderMaker(string log, Action? onTake) : ISnapshotMaker
    {
        public string Kind => "Folder";

        public ConsistencyLevel Level => ConsistencyLevel.Crash;

        public bool IsOf(SnapshotVolume volume) => true;

        public Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) => new(Kind, EntryName.Escape(volume.Path), volume.Identity, id);

        public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
        {
            await File.AppendAllTextAsync(log, "take\n", cancellationToken);
            onTake?.Invoke();
            foreach (WantedSnapshot snapshot in snapshots)
            {
                snapshot.Succeed(snapshot.Volume.Path);
            }
        }

        public async Task<string?> RemoveAsync(SnapshotMark mark)
        {
            await File.AppendAllTextAsync(log, "remove\n", CancellationToken.None);
            return null;
        }
    }
}
