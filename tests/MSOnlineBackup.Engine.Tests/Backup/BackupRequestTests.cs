using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>What no recovery point can hold is refused before anything is begun.</summary>
public sealed class BackupRequestTests : IDisposable
{
    private static readonly string _longest = new('x', RecoveryPointCodec.MaxTextLength);

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    public static TheoryData<string> TooMuch => ["sources", "tags", "tag", "machine"];

    [Theory]
    [MemberData(nameof(TooMuch))]
    public async Task What_a_point_cannot_hold_is_refused_before_the_backup_begins(string what)
    {
        UnlockedVault engine = await _backups.OpenAsync();
        string[] before = [.. _backups.Objects.Names];
        BackupRequest most = Request(_backups.Root) with { Tags = [.. Enumerable.Repeat(_longest, RecoveryPointCodec.MaxTags)], MachineName = _longest };
        most.Check();
        BackupRequest request = what switch
        {
            "sources" =>
                most with { Sources = [.. Enumerable.Repeat(new BackupSource.Tree("/a", SourceSelection.Everything), RecoveryPointCodec.MaxSources + 1)] },
            "tags" => most with { Tags = [.. most.Tags, "one more"] },
            "tag" => most with { Tags = [_longest + "x"] },
            "machine" => most with { MachineName = _longest + "x" },
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };

        foreach (Func<Task> attempt in (Func<Task>[])[() => engine.BackUpAsync(request, new JobMonitor(), Cancel), async () => await (await engine.IndexAsync(Cancel)).PreviewAsync(request, Cancel).ToListAsync(Cancel)])
        {
            BackupException fault = await Assert.ThrowsAsync<BackupException>(attempt);
            Assert.Equal(BackupErrorId.ArgumentInvalid, fault.Id);
            Assert.Contains(what is "sources" ? "65,536" : "1,024", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, _backups.Objects.Names);
    }
}
