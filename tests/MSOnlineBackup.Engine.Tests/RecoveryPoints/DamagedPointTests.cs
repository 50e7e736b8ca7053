using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Tests.Backup;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>A point that is there and cannot be read is never passed over in silence.</summary>
public sealed class DamagedPointTests : IDisposable
{
    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData("flip", BackupErrorId.VaultDataCorrupt)]
    [InlineData("truncate", BackupErrorId.VaultDataCorrupt)]
    [InlineData("empty", BackupErrorId.VaultDataCorrupt)]
    [InlineData("unreadable", BackupErrorId.VaultDataUnreadable)]
    [InlineData("newer format", BackupErrorId.VaultFormatUnsupported)]
    [InlineData("delete", BackupErrorId.VaultDataMissing)]
    public async Task No_older_point_is_taken_for_a_newest_one_that_is_damaged(string damage, BackupErrorId id)
    {
        (BackupResult older, BackupResult newest, UnlockedVault engine) = await MakeAsync(damage);

        BackupException latest = await Assert.ThrowsAsync<BackupException>(() => engine.GetPointAsync("latest", null, Cancel));
        BackupException named =
            await Assert.ThrowsAsync<BackupException>(() => engine.GetPointAsync(newest.Point.SessionId.ToString()[..14], BackupFixture.Machine, Cancel));

        Assert.All([latest, named], error => Assert.Equal((id, newest.Point.SessionId.ToString()), (error.Id, error.Target)));
        Assert.Contains(newest.Point.SessionId.ToShortString(), latest.Message, StringComparison.Ordinal);
        Assert.Contains(BackupFixture.Machine, latest.Message, StringComparison.Ordinal);
        Assert.Contains(newest.Point.Started.UtcDateTime.ToString("yyyy-MM-dd 'at' HH:mm:ss"), latest.Message, StringComparison.Ordinal);
        Assert.Equal(older.Point.SessionId, (await engine.GetPointAsync(older.Point.SessionId.ToString(), null, Cancel)).SessionId);
    }

    [Fact]
    public async Task An_older_point_is_taken_where_that_is_asked_for_and_what_is_passed_over_is_told()
    {
        (BackupResult older, BackupResult newest, UnlockedVault engine) = await MakeAsync("flip");
        var passedOver = new List<DamagedPoint>();

        RecoveryPoint point = await engine.GetPointAsync("latest", BackupFixture.Machine, Cancel, passedOver.Add);

        Assert.Equal(older.Point.SessionId, point.SessionId);
        Assert.Equal(newest.Point.SessionId, Assert.Single(passedOver).SessionId);
    }

    [Fact]
    public async Task Where_no_point_can_be_read_the_damage_is_the_error_even_if_damaged_points_may_be_passed_over()
    {
        (_, _, UnlockedVault engine) = await MakeAsync("flip");
        foreach (string point in _backups.Points)
        {
            _backups.Objects.SetContent(point, [1, 2, 3]);
        }

        Assert.Equal(
            BackupErrorId.VaultDataCorrupt, (await Assert.ThrowsAsync<BackupException>(() => engine.GetPointAsync("latest", null, Cancel, _ => { }))).Id);
    }

    [Fact]
    public async Task A_list_has_damaged_points_beside_the_others_with_machine_and_time()
    {
        (BackupResult older, BackupResult newest, UnlockedVault engine) = await MakeAsync("flip");

        RecoveryPointList points = await engine.ListPointsAsync(BackupFixture.Machine, Cancel);

        Assert.Equal([older.Point.SessionId], points.Select(point => point.SessionId));
        DamagedPoint damaged = Assert.Single(points.Damaged);
        Assert.Equal((newest.Point.SessionId, newest.Point.MachineId, BackupFixture.Machine), (damaged.SessionId, damaged.MachineId, damaged.MachineName));
        Assert.InRange(damaged.Begun!.Value, newest.Point.Started.AddMilliseconds(-1), newest.Point.Started.AddMilliseconds(1));
        Assert.Empty((await engine.ListPointsAsync("another", Cancel)).Damaged);
    }

    [Fact]
    public async Task Files_of_strangers_among_the_points_are_none()
    {
        (_, BackupResult newest, UnlockedVault engine) = await MakeAsync("none");
        string folder = _backups.Points[0][..(_backups.Points[0].LastIndexOf('/') + 1)];
        _backups.Objects.SetContent(folder + "desktop.ini", [1]);
        _backups.Objects.SetContent(folder + "zzz/thumbs.db", [1]);

        Assert.Empty((await engine.ListPointsAsync(null, Cancel)).Damaged);
        Assert.Equal(newest.Point.SessionId, (await engine.GetPointAsync("latest", null, Cancel)).SessionId);
    }

    [Fact]
    public async Task A_deleted_point_that_another_goes_on_from_is_a_finding()
    {
        (BackupResult older, BackupResult newest, _) = await MakeAsync("none");
        string deleted = NameOf(older);
        _backups.Objects.Remove(deleted);
        _backups.Objects.Remove(CommitOf(older));

        VerifyFinding finding = Assert.Single((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);

        Assert.Equal(deleted, finding.Object);
        Assert.Contains(newest.Point.SessionId.ToShortString(), finding.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(VerifyLevel.Structure)]
    [InlineData(VerifyLevel.Packs)]
    public async Task A_deleted_newest_point_stays_a_finding_after_further_backups(VerifyLevel level)
    {
        (_, BackupResult newest, UnlockedVault engine) = await MakeAsync("none");
        string deleted = NameOf(newest);
        Assert.Empty((await _backups.VerifyAsync(level)).Findings);
        _backups.Objects.Remove(deleted);
        BackupResult further = await _backups.BackUpAsync(Request("/data"));

        VerifyReport report = await _backups.VerifyAsync(level);

        Assert.Equal(deleted, Assert.Single(report.Findings).Object);
        Assert.Empty(report.Unfinished);
        Assert.Equal(newest.Point.SessionId, Assert.Single((await engine.ListPointsAsync(null, Cancel)).Damaged).SessionId);
        Assert.Equal(further.Point.SessionId, (await engine.GetPointAsync("latest", null, Cancel)).SessionId);

        // Who meant to delete it says so.
        _backups.Objects.Remove(CommitOf(newest));
        Assert.Empty((await _backups.VerifyAsync(level)).Findings);
    }

    [Fact]
    public async Task A_session_that_may_have_made_a_point_is_told_until_the_next_backup_decides()
    {
        (_, BackupResult newest, _) = await MakeAsync("delete");
        _backups.Objects.Remove(CommitOf(newest));

        VerifyReport report = await _backups.VerifyAsync(VerifyLevel.Structure);
        UnfinishedSession session = Assert.Single(report.Unfinished);
        Assert.Equal((newest.Point.SessionId, newest.Point.MachineId), (session.SessionId, session.MachineId));

        await _backups.BackUpAsync(Request("/data"));
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Unfinished);
    }

    [Fact]
    public async Task A_backup_whose_point_could_not_be_confirmed_has_made_it_and_tells()
    {
        await MakeAsync("none");
        var faulty = new FaultyVaultStore(_backups.Objects)
        {
            FailAt = 1,
            Kind = FaultKind.ForGood,
            Counts = (call, name) => call == VaultCall.Create && name.Contains("/commits/", StringComparison.Ordinal),
        };
        var notes = new List<string>();
        _backups.Clock.Advance(TimeSpan.FromMinutes(1));

        BackupResult result = await (await _backups.OpenAsync(faulty)).BackUpAsync(_backups.Job("/data"), new JobMonitor { Noted = notes.Add }, Cancel);

        Assert.Contains("reveals its loss could not be written", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal(result.Point.SessionId, (await (await _backups.OpenAsync()).GetPointAsync("latest", null, Cancel)).SessionId);
        Assert.Empty((await _backups.VerifyAsync(VerifyLevel.Structure)).Findings);
    }

    private async Task<(BackupResult Older, BackupResult Newest, UnlockedVault Engine)> MakeAsync(string damage)
    {
        _backups.Fakes["/data"] = new FakeSourceTree("/data").Folder("").File("a", TestKeys.Bytes(1, 3000));
        BackupResult older = await _backups.BackUpAsync(Request("/data"));
        _backups.Fakes["/data"].File("b", TestKeys.Bytes(2, 3000));
        BackupResult newest = await _backups.BackUpAsync(Request("/data"));
        string name = NameOf(newest);
        switch (damage)
        {
            case "flip":
                _backups.Objects.FlipBit(name, 70);
                break;
            case "truncate":
                _backups.Objects.Damage(name, content => content[..^1]);
                break;
            case "empty":
                _backups.Objects.SetContent(name, []);
                break;
            case "delete":
                _backups.Objects.Remove(name);
                break;
            case "newer format":
                _backups.Objects.Damage(name, content => Resealed([.. content[..4], 99, .. content[5..]]));
                break;
        }

        UnlockedVault engine = await _backups.OpenAsync(damage == "unreadable" ? new UnreadableVaultStore(_backups.Objects, read => read == name) : null);
        return (older, newest, engine);
    }

    private static byte[] Resealed(byte[] content)
    {
        ObjectChecksum.WriteTo(content);
        return content;
    }

    private string CommitOf(BackupResult result) =>
        _backups.Objects.Names.Single(
            name => name.Contains("/commits/", StringComparison.Ordinal) && name.EndsWith($"{result.Point.SessionId}", StringComparison.Ordinal));

    private string NameOf(BackupResult result) => _backups.Points.Single(name => name.EndsWith($"{result.Point.SessionId}", StringComparison.Ordinal));
}
