using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Jobs;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Module.Tests;

/// <summary>What a session shows of a job that runs in it.</summary>
public sealed class JobDisplayTests
{
    [Fact]
    public void A_line_comes_once_with_its_phase()
    {
        var display = new JobDisplay(JobKind.Backup, "/home");

        Assert.Equal(["Initializing", "Preparing storage..."], display.LinesOf(Running(JobPhase.Initializing)));
        Assert.Empty(display.LinesOf(Running(JobPhase.Initializing)));
        Assert.Equal(["Estimating size of backup items...", "Transferring data..."], display.LinesOf(Running(JobPhase.Transferring)));
    }

    [Fact]
    public void A_phase_that_was_too_short_to_be_seen_is_told()
    {
        var display = new JobDisplay(JobKind.Backup, "/home");

        Assert.Equal(5, display.LinesOf(Running(JobPhase.Finished) with { State = JobState.Completed }).Count);
    }

    [Theory]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Aborted)]
    public void A_job_that_did_not_get_so_far_says_no_more(JobState state)
    {
        var display = new JobDisplay(JobKind.Backup, "/home");
        _ = display.LinesOf(Running(JobPhase.Initializing));

        Assert.Empty(display.LinesOf(Running(JobPhase.Finished) with { State = state }));
    }

    [Fact]
    public void Warnings_are_no_success()
    {
        var display = new JobDisplay(JobKind.Recovery, "/home");

        Assert.Equal(
            ["Job completed.", "The recovery operation completed with warnings."],
            display.LastLinesOf(Running(JobPhase.Finished) with { State = JobState.CompletedWithWarnings }));
    }

    [Fact]
    public void A_job_that_waits_for_its_vault_says_in_its_status_what_is_wrong()
    {
        JobRecord waiting = Running(JobPhase.Transferring) with { Wait = new JobWait("The vault is away.", DateTimeOffset.UnixEpoch.AddMinutes(1)) };

        OBJobStatus status = waiting.ToOutput().JobStatus;
        Assert.Equal(("The vault is away.", DateTime.UnixEpoch.AddMinutes(1)), (status.WaitReason, status.WaitUntil));
    }

    [Fact]
    public void What_is_left_is_not_guessed_at_the_start() =>
        Assert.Null(new JobPace().Read(1 << 20, 1 << 30).Remaining);

    private static JobRecord Running(JobPhase phase) => new()
    {
        Id = new Guid("11111111-2222-3333-4444-555555555555"),
        Kind = JobKind.Backup,
        State = JobState.InProgress,
        Phase = phase,
        Started = DateTimeOffset.UnixEpoch,
        Heartbeat = DateTimeOffset.UnixEpoch,
        ProcessId = 1,
        Sources = [new JobSourceStatus("/home", JobState.InProgress, 0, 0, 0, 0, 0, 0)],
    };
}
