using System.Net;
using MSOnlineBackup.Mounts.Drives;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Drives;

/// <summary>A view as a drive letter, over drives as Windows keeps them; what is read goes over the real server.</summary>
public sealed class DriveWayTests : IDisposable
{
    private static readonly Guid _id = new("11111111-2222-3333-4444-555555555555");

    private readonly MemoryView _view = new();
    private readonly List<(string Path, BackupException Failure)> _troubles = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });

    public DriveWayTests() => _view.File(1, "hello.txt", "hello world"u8.ToArray());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _view.Dispose();
    }

    [Fact]
    public async Task A_drive_stands_for_a_server_until_it_is_taken_off()
    {
        var drives = new RecordedDrives();
        string address;
        await using (IMountedView mount = await MountAsync(drives))
        {
            address = drives.Address!;
            Assert.Equal(("R:", false, false), (mount.Folder, mount.IsOver, mount.Ended.IsCompleted));
            Assert.Equal("hello world", await _client.GetStringAsync(new Uri($"{address}/hello.txt"), Cancel));
            Assert.True(mount.Idle < TimeSpan.FromMinutes(1));
            Assert.Equal(HttpStatusCode.Unauthorized, (await _client.GetAsync(new Uri(new Uri(address), "/hello.txt"), Cancel)).StatusCode);

            await mount.StopAsync(force: false);

            Assert.True(mount.IsOver && mount.Ended.IsCompletedSuccessfully);
            Assert.Empty(drives.Remotes);
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync(new Uri($"{address}/hello.txt"), Cancel));
    }

    [Fact]
    public async Task A_drive_that_somebody_takes_off_or_uses_for_something_else_is_over_and_stays_as_it_is()
    {
        var drives = new RecordedDrives();
        IMountedView mount = await MountAsync(drives);

        drives.Remotes["R:"] = @"\\server\share";

        Assert.True(mount.IsOver);
        await mount.DisposeAsync();
        Assert.Equal(@"\\server\share", drives.Remotes["R:"]);
    }

    [Theory]
    [InlineData(NetworkError.OpenFiles)]
    [InlineData(NetworkError.DeviceInUse)]
    public async Task A_drive_that_somebody_is_in_goes_by_force_alone(int error)
    {
        var drives = new RecordedDrives { Busy = error };
        await using IMountedView mount = await MountAsync(drives);

        BackupException busy = await Assert.ThrowsAsync<BackupException>(() => mount.StopAsync(force: false));

        Assert.Equal((BackupErrorId.MountBusy, "R:"), (busy.Id, busy.Target));
        Assert.False(mount.IsOver);
        await mount.StopAsync(force: true);
        Assert.Empty(drives.Remotes);
    }

    [Fact]
    public async Task A_drive_that_Windows_does_not_take_off_is_told_of_and_its_server_ends()
    {
        var drives = new RecordedDrives { Stuck = 5 };
        IMountedView mount = await MountAsync(drives);

        BackupException stays = await Assert.ThrowsAsync<BackupException>(async () => await mount.DisposeAsync());

        Assert.Equal(BackupErrorId.MountFailed, stays.Id);
        Assert.Contains("the words of Windows for 5 (error 5)", stays.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync(new Uri($"{drives.Address}/hello.txt"), Cancel));
    }

    [Theory]
    [InlineData("C:", "in use")]
    [InlineData("S:", @"\\server\share")]
    public void A_letter_that_is_in_use_is_refused(string drive, string why)
    {
        var way = new DriveWay(new RecordedDrives { Remotes = { ["S:"] = @"\\server\share" } });

        BackupException refused = Assert.Throws<BackupException>(() => way.Check(drive));

        Assert.Equal(BackupErrorId.MountFolderInvalid, refused.Id);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.Equal("R:", way.Check(@"r:\"));
    }

    [Theory]
    [InlineData(NetworkError.BadNetName, (int)WebClientService.Absent, BackupErrorId.MountUnavailable, "Install-WindowsFeature WebDAV-Redirector")]
    [InlineData(NetworkError.BadNetName, (int)WebClientService.Disabled, BackupErrorId.MountUnavailable, "Set-Service WebClient -StartupType Manual")]
    [InlineData(NetworkError.NoNetOrBadPath, (int)WebClientService.Stopped, BackupErrorId.MountUnavailable, "Start-Service WebClient")]
    [InlineData(NetworkError.BadNetName, (int)WebClientService.Running, BackupErrorId.MountFailed, "See to what it says")]
    [InlineData(5, (int)WebClientService.Stopped, BackupErrorId.MountFailed, "See to what it says")]
    [InlineData(NetworkError.AlreadyAssigned, (int)WebClientService.Running, BackupErrorId.MountFolderInvalid, "free")]
    public async Task What_Windows_refuses_says_what_to_do(int error, int service, BackupErrorId id, string action)
    {
        var drives = new RecordedDrives { Refusal = error, Service = (WebClientService)service };

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => MountAsync(drives));

        Assert.Equal(id, refused.Id);
        Assert.Contains(action, refused.RecommendedAction, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync(new Uri(drives.Address!), Cancel));
    }

    [Fact]
    public async Task What_a_drive_cannot_be_is_refused_before_anything_is_served()
    {
        var drives = new RecordedDrives();

        BackupException writable = await Assert.ThrowsAsync<BackupException>(() => MountAsync(drives, request => request with { IsWritable = true }));
        BackupException others = await Assert.ThrowsAsync<BackupException>(() => MountAsync(drives, request => request with { AllowOther = true }));

        Assert.Equal([BackupErrorId.MountUnavailable, BackupErrorId.MountUnavailable], [writable.Id, others.Id]);
        Assert.Null(drives.Address);
    }

    [Fact]
    public void What_a_killed_process_has_left_is_taken_off_and_nothing_else()
    {
        var drives = new RecordedDrives
        {
            Busy = NetworkError.OpenFiles,
            Remotes = { ["R:"] = @"\\127.0.0.1@40123\0f3c-11111111222233334444555555555555", ["S:"] = @"\\127.0.0.1@40124\0f3c-99999999222233334444555555555555" },
        };
        var way = new DriveWay(drives);

        way.Clean(_id, "R:");
        way.Clean(_id, "S:");
        way.Clean(_id, "T:");

        Assert.Equal(["S:"], drives.Remotes.Keys);
    }

    [Fact]
    public async Task What_cannot_be_read_is_told()
    {
        var drives = new RecordedDrives();
        await using IMountedView mount = await MountAsync(drives);
        _view.Failure = MemoryView.Away();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _client.GetAsync(new Uri($"{drives.Address}/hello.txt"), Cancel)).StatusCode);

        Assert.Equal(BackupErrorId.VaultUnreachable, Assert.Single(_troubles).Failure.Id);
    }

    private Task<IMountedView> MountAsync(RecordedDrives drives, Func<MountRequest, MountRequest>? change = null)
    {
        var request = new MountRequest(_id, "R:", "layer");
        return new DriveWay(drives).StartAsync(_view, change is null ? request : change(request), TimeProvider.System, (path, failure) =>
        {
            lock (_troubles)
            {
                _troubles.Add((path, failure));
            }
        });
    }
}
