using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Mounts.Drives;
using MSOnlineBackup.Engine.Tests.Mounts.Projection;
using MSOnlineBackup.Mounts.Drives;
using MSOnlineBackup.Mounts.Projection;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounting;

/// <summary>A point of a real vault, mounted in the ways of Windows, from its record to what is left: over recorded answers of Windows.</summary>
public sealed class MountServerTests : IDisposable
{
    private static readonly Guid _id = new("11111111-2222-3333-4444-555555555555");

    private readonly BackupFixture _backups = new();
    private readonly TempFolder _folder = new();
    private readonly RecordedDrives _drives = new();
    private readonly RecordedProjection _projections = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Root => _folder["mounted"];

    private MountRecords Records => new(new StateFolder(_folder["state"]), TimeProvider.System, WayOf);

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
        _backups.Dispose();
    }

    [Fact]
    public async Task A_drive_letter_is_on_record_shows_the_point_and_is_given_back()
    {
        (Task<RecoveryMount> serving, RecoveryMount mount) = await MountAsync("r:");

        Assert.Equal(("R:", true), (mount.Folder, mount.IsPinned));
        Assert.Equal(mount.Id, Assert.Single(Records.List()).Id);
        string shown = await _client.GetStringAsync(new Uri(_drives.Address + "/"), Cancel);
        Assert.Contains(_backups.Root.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)[0], shown, StringComparison.Ordinal);

        _drives.Busy = NetworkError.OpenFiles;
        await WishInVainAsync(force: false);
        Assert.False(serving.IsCompleted);
        _drives.Busy = 0;
        Records.Wish(_id, force: false);
        await serving;

        Assert.Empty(_drives.Remotes);
        Assert.Empty(Records.List());
        Assert.False(Directory.Exists(_folder[Path.Combine("state", "mounts", _id.ToString("D"))]));
    }

    [Fact]
    public async Task Nobody_who_looks_keeps_a_record_from_being_removed_or_takes_its_end_for_a_refusal()
    {
        for (int round = 0; round < 50; round++)
        {
            Records.Foresee(_id, Root);
            Records.Wish(_id, force: false);
            Task looking = Task.Run(
                () =>
                {
                    for (int look = 0; look < 20; look++)
                    {
                        Assert.False(Records.IsDeclined(_id));
                        Records.Wish(_id, force: false);
                    }
                },
                Cancel);

            Records.Remove(_id);
            await looking;
            Records.Remove(_id);
        }
    }

    [Fact]
    public async Task A_drive_letter_that_somebody_takes_off_ends_the_mount()
    {
        (Task<RecoveryMount> serving, _) = await MountAsync("R:");

        _drives.Remotes.Clear();
        await serving;

        Assert.Empty(Records.List());
    }

    [Fact]
    public async Task A_folder_shows_the_point_and_is_an_ordinary_one_afterwards()
    {
        (Task<RecoveryMount> serving, RecoveryMount mount) = await MountAsync(Root);
        string source = _backups.Root.TrimStart(Path.DirectorySeparatorChar).Replace(Path.DirectorySeparatorChar, '\\');

        Assert.Equal(Root, mount.Folder);
        Assert.Equal(ProjectionResult.Ok, _projections.Read(Root, source + @"\kept.txt", 0, 4, out byte[] content));
        Assert.Equal("kept"u8, content);
        Records.Wish(_id, force: false);
        await serving;

        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
        Assert.Empty(_projections.Marks);
        Assert.Empty(Records.List());
    }

    [Fact]
    public async Task What_is_left_of_a_folder_stays_on_record_until_it_is_cleared()
    {
        (Task<RecoveryMount> serving, _) = await MountAsync(Root);
        _projections.IsHeld = true;
        Records.Wish(_id, force: true);
        BackupException left = await Assert.ThrowsAsync<BackupException>(() => serving);

        Assert.Equal(BackupErrorId.MountBusy, left.Id);
        Assert.Empty(Records.List());
        Assert.NotNull(Records.Find(_id));
        Assert.Single(_projections.Marks);

        _projections.IsHeld = false;
        Assert.Empty(Records.List());
        Assert.Null(Records.Find(_id));
        Assert.Empty(_projections.Marks);
    }

    [Fact]
    public async Task What_killed_processes_have_left_is_taken_off_by_whoever_looks_next()
    {
        Directory.CreateDirectory(Root);
        _projections.Mark(Root, _id);
        Guid other = new("99999999-2222-3333-4444-555555555555");
        _drives.Remotes["S:"] = $@"\\127.0.0.1@40123\0f3c{DriveLetter.LabelOf(other)}";
        foreach ((Guid id, string place) in new[] { (_id, Root), (other, "S:") })
        {
            (await Records.HoldAsync(id, Cancel)).Dispose();
            Records.Foresee(id, place);
        }

        Assert.Empty(Records.List());

        Assert.Empty(_projections.Marks);
        Assert.Empty(_drives.Remotes);
    }

    [Fact]
    public async Task A_place_that_does_not_serve_leaves_nothing()
    {
        BackupException refused = await Assert.ThrowsAsync<BackupException>(async () => await (await MountAsync("C:")).Serving);

        Assert.Equal(BackupErrorId.MountFolderInvalid, refused.Id);
        Assert.False(Directory.Exists(_folder[Path.Combine("state", "mounts", _id.ToString("D"))]));
    }

    private IMountWay WayOf(string place) => DriveLetter.Read(place) is null ? new ProjectionWay(_projections) : new DriveWay(_drives);

    private async Task<(Task<RecoveryMount> Serving, RecoveryMount Mount)> MountAsync(string place)
    {
        await File.WriteAllTextAsync(Path.Combine(_backups.Root, "kept.txt"), "kept", Cancel);
        await _backups.BackUpAsync();
        UnlockedVault vault = await _backups.OpenAsync();
        var mounted = new TaskCompletionSource<RecoveryMount>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<RecoveryMount> serving = new MountServer(Records, TimeProvider.System, (_, _) => { }).RunAsync(
            _id, new MountOrder { Folder = place, PointId = "latest" }, vault, mounted.SetResult, Cancel);
        Task first = await Task.WhenAny(serving, mounted.Task);
        return first == serving ? (serving, await serving) : (serving, await mounted.Task);
    }

    private async Task WishInVainAsync(bool force)
    {
        Records.Wish(_id, force);
        while (!Records.IsDeclined(_id))
        {
            await Task.Delay(20, Cancel);
        }
    }
}
