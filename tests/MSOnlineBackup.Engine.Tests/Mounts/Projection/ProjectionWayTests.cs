using MSOnlineBackup.Mounts.Projection;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Projection;

/// <summary>A folder shows a view, and is an ordinary one again, with nothing lost that is somebody else's.</summary>
public sealed class ProjectionWayTests : IDisposable
{
    private static readonly Guid _id = new("11111111-2222-3333-4444-555555555555");

    private readonly TempFolder _folder = new();
    private readonly MemoryView _view = new();
    private readonly RecordedProjection _windows = new();
    private readonly ProjectionWay _way;

    public ProjectionWayTests()
    {
        _way = new ProjectionWay(_windows);
        ulong home = _view.Folder(1, "home");
        _view.File(home, "a.txt", [1, 2, 3]);
        _view.File(home, "b.txt", [4]);
        _view.File(_view.Folder(home, "deep"), "c.txt", [5]);
    }

    private string Root => _folder["mounted"];

    private string Aside => ProjectionCleaner.AsideOf(Root);

    public void Dispose()
    {
        _view.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_opened_and_read_is_gone_when_the_mount_is_and_the_folder_is_an_ordinary_one(bool force)
    {
        IMountedView mount = await MountAsync();
        Assert.Equal((Root, false), (mount.Folder, mount.IsOver));
        Assert.Equal(_id, _windows.Marks[Root]);
        Assert.True(mount.Idle < TimeSpan.FromMinutes(1));
        Look();

        await mount.StopAsync(force);

        Assert.True(mount.IsOver && mount.Ended.IsCompletedSuccessfully);
        AssertOrdinary();
        await mount.DisposeAsync();
        AssertOrdinary();
        Assert.False(Path.Exists(Aside));
    }

    [Fact]
    public async Task What_somebody_has_put_there_keeps_the_mount_and_is_put_beside_it_by_force()
    {
        IMountedView mount = await MountAsync();
        Look();
        await File.WriteAllTextAsync(Path.Combine(Root, "home", "mine.txt"), "mine", TestContext.Current.CancellationToken);
        string made = Directory.CreateDirectory(Path.Combine(Root, "made")).FullName;
        await File.WriteAllTextAsync(Path.Combine(made, "within.txt"), "within", TestContext.Current.CancellationToken);
        _windows.States[Path.Combine(Root, "home", "a.txt")] |= ProjectedState.Full;

        BackupException busy = await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: false));

        Assert.Equal(BackupErrorId.MountBusy, busy.Id);
        Assert.False(mount.IsOver);
        Assert.Equal(["home"], _windows.List(Root, ""));

        await mount.StopAsync(force: true);

        AssertOrdinary();
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(Aside, "home", "mine.txt"), TestContext.Current.CancellationToken));
        Assert.Equal("within", await File.ReadAllTextAsync(Path.Combine(Aside, "made", "within.txt"), TestContext.Current.CancellationToken));
        Assert.True(File.Exists(Path.Combine(Aside, "home", "a.txt")));
        Assert.False(File.Exists(Path.Combine(Aside, "home", "b.txt")));
    }

    [Fact]
    public async Task What_is_open_keeps_the_mount_and_by_force_is_cleared_by_the_next_look()
    {
        IMountedView mount = await MountAsync();
        Look();
        string open = Path.Combine(Root, "home", "a.txt");
        _windows.Open.Add(open);

        Assert.Equal(BackupErrorId.MountBusy, (await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: false))).Id);
        Assert.Equal(["a.txt", "b.txt", "deep"], _windows.List(Root, "home"));
        BackupException left = await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: true));

        Assert.Equal(BackupErrorId.MountBusy, left.Id);
        Assert.True(mount.IsOver);
        Assert.False(_way.Clean(_id, Root));
        Assert.True(File.Exists(open));

        _windows.Open.Clear();
        Assert.True(_way.Clean(_id, Root));
        AssertOrdinary();
    }

    [Fact]
    public async Task A_folder_that_cannot_be_had_back_is_cleared_by_the_next_look()
    {
        IMountedView mount = await MountAsync();
        Look();
        _windows.IsHeld = true;

        Assert.Equal(BackupErrorId.MountBusy, (await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: false))).Id);
        Assert.True(mount.IsOver);
        await Assert.ThrowsAsync<BackupException>(async () => await mount.DisposeAsync());
        Assert.False(_way.Clean(_id, Root));

        _windows.IsHeld = false;
        Assert.True(_way.Clean(_id, Root));
        AssertOrdinary();
    }

    [Fact]
    public async Task What_a_killed_process_has_left_is_cleared_and_what_is_not_its_own_is_not()
    {
        _ = await MountAsync();
        Look();
        await File.WriteAllTextAsync(Path.Combine(Root, "mine.txt"), "mine", TestContext.Current.CancellationToken);
        _windows.Kill(Root);

        Assert.True(_way.Clean(Guid.Empty, Root));
        Assert.True(File.Exists(Path.Combine(Root, "home", "a.txt")));

        Assert.True(_way.Clean(_id, Root));
        AssertOrdinary();
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(Aside, "mine.txt"), TestContext.Current.CancellationToken));

        // An ordinary folder, one that is not there, and a Windows that shows nothing.
        await File.WriteAllTextAsync(Path.Combine(Root, "kept"), "", TestContext.Current.CancellationToken);
        Assert.True(_way.Clean(_id, Root));
        Assert.True(_way.Clean(_id, _folder["gone"]));
        Assert.True(new ProjectionWay(new RecordedProjection { Obstacle = "None." }).Clean(_id, Root));
        Assert.True(File.Exists(Path.Combine(Root, "kept")));
    }

    [Fact]
    public void A_folder_that_does_not_serve_is_refused()
    {
        File.WriteAllText(_folder["file"], "");
        Directory.CreateDirectory(_folder[Path.Combine("full", "of")]);

        Assert.Equal(BackupErrorId.MountFolderInvalid, Assert.Throws<BackupException>(() => _way.Check(_folder["file"])).Id);
        Assert.Equal(BackupErrorId.MountFolderInvalid, Assert.Throws<BackupException>(() => _way.Check(_folder["full"])).Id);
        Assert.Equal(Root, _way.Check(Root + Path.DirectorySeparatorChar));
        Assert.False(Path.Exists(Root));
    }

    [Fact]
    public void A_Windows_without_the_feature_says_how_to_add_it_and_offers_a_drive_letter()
    {
        var way = new ProjectionWay(new RecordedProjection { Obstacle = "The feature Client-ProjFS of Windows is not there." });

        BackupException refused = Assert.Throws<BackupException>(() => way.Check(Root));

        Assert.Equal(BackupErrorId.MountUnavailable, refused.Id);
        Assert.Contains("Enable-WindowsOptionalFeature -Online -FeatureName Client-ProjFS", refused.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("-Path R:", refused.RecommendedAction, StringComparison.Ordinal);
        Assert.False(Path.Exists(Root));
    }

    [Theory]
    [InlineData(ProjectionResult.Unavailable, BackupErrorId.MountFailed)]
    [InlineData(ProjectionResult.IsMarked, BackupErrorId.MountFolderInvalid)]
    public async Task A_folder_that_Windows_refuses_stays_an_ordinary_one(int refusal, BackupErrorId id)
    {
        _windows.Refusal = refusal;

        Assert.Equal(id, (await Assert.ThrowsAsync<BackupException>(() => MountAsync())).Id);
        AssertOrdinary();
    }

    [Fact]
    public async Task A_folder_that_shows_something_is_not_mounted_on_and_goes_on_showing_it()
    {
        await using IMountedView mount = await MountAsync();

        Assert.Equal(BackupErrorId.MountFolderInvalid, (await Assert.ThrowsAsync<BackupException>(() => MountAsync())).Id);
        Assert.Equal(["home"], _windows.List(Root, ""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_is_made_for_its_owner_or_for_all(bool isForAll)
    {
        await using IMountedView mount = await MountAsync(request => request with { AllowOther = isForAll });

        Assert.Equal(isForAll, _windows.IsForAll);
    }

    [Fact]
    public async Task What_cannot_be_written_to_is_not_said_to_be()
    {
        Assert.Equal(BackupErrorId.MountUnavailable, (await Assert.ThrowsAsync<BackupException>(() => MountAsync(request => request with { IsWritable = true }))).Id);
        Assert.False(Path.Exists(Root));
    }

    private Task<IMountedView> MountAsync(Func<MountRequest, MountRequest>? change = null)
    {
        var request = new MountRequest(_id, Root, "layer");
        try
        {
            return _way.StartAsync(_view, change is null ? request : change(request), TimeProvider.System, (_, _) => { });
        }
        catch (BackupException e)
        {
            return Task.FromException<IMountedView>(e);
        }
    }

    private void Look()
    {
        Assert.Equal(ProjectionResult.Ok, _windows.Read(Root, @"home\a.txt", 0, 3, out _));
        Assert.Equal(ProjectionResult.Ok, _windows.OpenItem(Root, @"home\b.txt"));
        Assert.Equal(ProjectionResult.Ok, _windows.OpenItem(Root, @"home\deep\c.txt"));
        Assert.True(File.Exists(Path.Combine(Root, "home", "deep", "c.txt")));
    }

    private void AssertOrdinary()
    {
        Assert.Empty(_windows.Marks);
        Assert.Empty(_windows.Shown);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }
}
