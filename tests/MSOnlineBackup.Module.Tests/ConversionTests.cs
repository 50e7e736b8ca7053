using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Errors;
using MSOnlineBackup.Model;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Module.Tests;

/// <summary>Between the engine's records and what scripts see.</summary>
public sealed class ConversionTests
{
    private static readonly BackupPolicy _policy = new()
    {
        Id = new Guid("11111111-2222-3333-4444-555555555555"),
        Files = [new FileSpecification("/home"), new FileSpecification("*.tmp", Exclude: true), new FileSpecification("/srv", NonRecursive: true)],
        Schedule = new BackupSchedule([DayOfWeek.Saturday, DayOfWeek.Sunday], [TimeSpan.FromHours(16), TimeSpan.FromHours(21)], 2),
        Retention = new RetentionPolicy(
            30,
            new WeeklyRetention(13, [DayOfWeek.Sunday], [TimeSpan.FromHours(21)]),
            new MonthlyRetention(24, new DaysOfMonth([], [DayOfWeek.Sunday], [NthWeek.First, NthWeek.Last]), []),
            new YearlyRetention(10, [3, 12], new DaysOfMonth([0, 15], [], []), [])),
        IsPaused = true,
    };

    [Fact]
    public void A_policy_comes_back_from_its_draft_as_it_was() => Assert.Equal(PolicyText(_policy), PolicyText(_policy.ToDraft().ToEngine()));

    [Fact]
    public void A_draft_of_a_saved_policy_is_existing_and_bears_its_name()
    {
        OBPolicy draft = _policy.ToDraft();

        Assert.Equal(OBObjectState.Existing, draft.State);
        Assert.Equal(_policy.Id.ToString(), draft.PolicyName);
        Assert.Equal(OBObjectState.Existing, draft.BackupSchedule!.State);
        Assert.Equal(_policy.Id.ToString(), draft.RetentionPolicy!.RetentionPolicyName);
        Assert.All(draft.DsList, source => Assert.Equal(SourceNumber.Of(source.DataSourceName), source.DataSourceId));
    }

    [Fact]
    public void A_source_keeps_its_number_whatever_stands_beside_it()
    {
        OBPolicy before = Existing("/a", "/b");
        OBPolicy after = Existing("/b", "/c");

        Assert.Equal(before.DsList[1].DataSourceId, after.DsList[0].DataSourceId);
        Assert.Equal(3, before.DsList.Concat(after.DsList).Select(source => source.DataSourceId).Distinct().Count());
        Assert.All(before.DsList, source => Assert.InRange(source.DataSourceId, 1, (1L << 48) - 1));
        Assert.Equal(SourceNumber.Of(@"C:\Data"), SourceNumber.Of(@"c:\data"));
        Assert.NotEqual(SourceNumber.Of("/Data"), SourceNumber.Of("/data"));

        static OBPolicy Existing(params string[] paths) =>
            (_policy with { Files = [.. paths.Select(path => new FileSpecification(path))] }).ToDraft();
    }

    [Fact]
    public void A_schedule_is_put_in_order_and_without_repetition()
    {
        var draft = new OBSchedule
        {
            ScheduleRunDays = [DayOfWeek.Sunday, DayOfWeek.Saturday, DayOfWeek.Sunday],
            ScheduleRunTimes = [TimeSpan.FromHours(21), TimeSpan.FromHours(9), TimeSpan.FromHours(21)],
        };

        BackupSchedule schedule = draft.ToEngine();

        Assert.Equal([DayOfWeek.Saturday, DayOfWeek.Sunday], schedule.Days);
        Assert.Equal([TimeSpan.FromHours(9), TimeSpan.FromHours(21)], schedule.Times);
    }

    [Fact]
    public void A_range_is_days_and_a_started_unit_counts()
    {
        OBRetentionPolicy retention = _policy.ToDraft().RetentionPolicy!;
        Assert.Equal(
            (13 * 7, 24 * 31, 10 * 366),
            (retention.WeeklyLTRSchedule!.RetentionRange, retention.MonthlyLTRSchedule!.RetentionRange, retention.YearlyLTRSchedule!.RetentionRange));

        retention.WeeklyLTRSchedule.RetentionRange = (13 * 7) + 1;

        Assert.Equal(14, retention.ToEngine().Weekly!.Weeks);
    }

    [Fact]
    public void Texts_are_as_documented()
    {
        OBPolicy draft = _policy.ToDraft();

        Assert.Equal("4:00 PM, 9:00 PM\nSaturday, Sunday,\nEvery 2 weeks", draft.BackupSchedule!.ToString());
        Assert.Equal("Saturday, Sunday", draft.BackupSchedule.ScheduleRunDaysToString());
        Assert.Equal("4:00 PM, 9:00 PM", draft.BackupSchedule.ScheduleRunTimesToString());
        Assert.Equal(
            $"DataSource\nDatasourceId:{SourceNumber.Of("/srv")}\nName:/srv\nFileSpec:FileSpec\nFileSpec:/srv\nIsExclude:False\nIsRecursive:False\n\nFileSpec:FileSpec\nFileSpec:*.tmp\nIsExclude:True\nIsRecursive:True\n\n",
            draft.DsList[1].ToString());
        Assert.Equal(
            """
            Retention Days : 7

            WeeklyLTRSchedule :
            Weekly schedule is not set

            MonthlyLTRSchedule :
            Monthly schedule is not set

            YearlyLTRSchedule :
            Yearly schedule is not set

            """,
            new OBRetentionPolicy { RetentionDays = 7 }.ToString());
        Assert.Equal("First, Last Sunday, for 24 months", draft.RetentionPolicy!.MonthlyLTRSchedule!.ToString());
        Assert.Equal("Last day, Day 15, of March, December, for 10 years", draft.RetentionPolicy.YearlyLTRSchedule!.ToString());
    }

    [Theory]
    [InlineData("VaultCredentialInvalid", "34513", 34513, (int)BackupErrorId.VaultCredentialInvalid)]
    [InlineData("ActivationDamaged", "0x1FC07", 0x1FC07, (int)BackupErrorId.ActivationDamaged)]
    [InlineData("StateInvalid", "0x80780054", unchecked((int)0x80780054), (int)BackupErrorId.StateInvalid)]
    [InlineData("VaultFull", null, (int)BackupErrorId.VaultFull, (int)BackupErrorId.VaultFull)]
    [InlineData("UnexpectedError", null, -1, -1)]
    [InlineData("OfANewerVersion", null, -1, -1)]
    public void A_failed_job_has_a_number_that_is_not_success(string id, string? code, int expected, int detailed)
    {
        OBErrorInfo error = Job(JobState.Failed, new JobError(id, code, "It failed.", "Try again.", "/home")).ToOutput().JobStatus.ErrorInfo;

        Assert.Equal((expected, detailed), (error.ErrorCode, error.DetailedErrorCode));
        Assert.Equal(("It failed.", "Try again."), (error.Message, error.RecommendedAction));
        Assert.Equal(("Target", "/home"), (error.ErrorParamList.Single().Name, error.ErrorParamList.Single().Value));
    }

    [Fact]
    public void A_job_that_did_its_work_has_an_error_of_zero_and_times_in_universal_time()
    {
        OBJob job = Job(JobState.CompletedWithWarnings, error: null).ToOutput();

        Assert.Equal(0, job.JobStatus.ErrorInfo.ErrorCode);
        Assert.Equal(CBJobState.CompletedWithWarning, job.JobStatus.JobState);
        Assert.Equal((DateTimeKind.Utc, DateTimeKind.Utc), (job.JobStatus.StartTime.Kind, job.JobStatus.EndTime.Kind));
        Assert.Equal(DateTimeKind.Local, job.DisplayTime.Kind);
        OBDatasourceStatus source = job.JobStatus.DatasourceStatus.Single();
        Assert.Equal(
            ("/home", 10L, 4L, 20L), (source.Datasource.DataSourceName, source.ByteProgress.Progress, source.ByteProgress.Changed, source.ByteProgress.Total));
        Assert.Equal((1L, 2L, 3L), (source.FileProgress.Progress, source.FileProgress.Changed, source.FileProgress.Total));
    }

    [Fact]
    public void Every_state_of_a_job_has_a_word() =>
        Assert.Equal(Enum.GetValues<JobState>().Length, Enum.GetValues<JobState>().Select(JobConversion.StateOf).Distinct().Count());

    [Fact]
    public void Every_error_has_a_category_but_those_that_are_bugs() => Assert.Equal(
        [BackupErrorId.UnexpectedError],
        Enum.GetValues<BackupErrorId>().Where(id => ErrorRecords.Category(id) == ErrorCategory.NotSpecified));

    [Fact]
    public void The_help_of_errors_is_the_documents()
    {
        OBErrorHelp[] help = ErrorHelp.All();

        Assert.Equal(
            $"{Repository.Text("docs", "errors.md")}\n{Repository.Text("docs", "original-errors.md")}".Split('\n').Where(line => line.StartsWith("### ", StringComparison.Ordinal)).Select(line => line[4..]),
            help.Select(error => error.Id));
        Assert.All(help, error => Assert.All([error.Meaning, error.Causes, error.RecommendedAction], Assert.NotEmpty));
    }

    private static JobRecord Job(JobState state, JobError? error) => new()
    {
        Id = new Guid("11111111-2222-3333-4444-555555555555"),
        Kind = JobKind.Backup,
        State = state,
        Started = new DateTimeOffset(2026, 11, 21, 21, 0, 0, TimeSpan.FromHours(1)),
        Ended = new DateTimeOffset(2026, 11, 21, 21, 5, 0, TimeSpan.FromHours(1)),
        Heartbeat = new DateTimeOffset(2026, 11, 21, 21, 5, 0, TimeSpan.FromHours(1)),
        ProcessId = 1,
        Error = error,
        Sources = [new JobSourceStatus("/home", state, 10, 4, 20, 1, 2, 3)],
    };

    // Records compare lists by identity.
    private static string PolicyText(BackupPolicy policy) => System.Text.Json.JsonSerializer.Serialize(policy);
}
