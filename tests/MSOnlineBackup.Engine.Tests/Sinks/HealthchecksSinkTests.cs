using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sinks;

/// <summary>The protocol of healthchecks.io, on a real server.</summary>
public sealed class HealthchecksSinkTests
{
    private static readonly Guid _run = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");
    private static readonly AlarmMessage _message = new(AlarmKind.Raised, "/vault", "Late: ALPHA", "ALPHA is late.", "Look.", DateTimeOffset.UnixEpoch);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_pings_its_start_and_its_end_with_its_id_and_sends_nothing_else()
    {
        await using var web = new RecordingWeb();
        HealthchecksSink sink = Open(web);

        await sink.StartAsync(_run, Cancel);
        await sink.EndAsync(_run, isSuccess: true, "a log", Cancel);
        await sink.EndAsync(_run, isSuccess: false, "a log", Cancel);
        await sink.SendAsync([_message], Cancel);

        Assert.Equal(["/start?rid=0f8fad5b-d9cb-469f-a165-70867728950e", "?rid=0f8fad5b-d9cb-469f-a165-70867728950e", "/fail?rid=0f8fad5b-d9cb-469f-a165-70867728950e"], web.Asked);
        Assert.All(web.Bodies, body => Assert.Empty(body));
    }

    [Fact]
    public async Task Logs_are_sent_where_they_were_asked_for()
    {
        await using var web = new RecordingWeb();
        HealthchecksSink sink = Open(web, logs: true);

        await sink.SendAsync([_message], Cancel);
        await sink.EndAsync(_run, isSuccess: false, "a log", Cancel);

        Assert.Equal("/log", web.Asked[0]);
        Assert.Contains("ALPHA is late.", web.Bodies[0]);
        Assert.Equal("a log", web.Bodies[1]);
    }

    [Fact]
    public async Task A_trial_asks_the_check_though_it_gets_no_logs()
    {
        await using var web = new RecordingWeb();

        await Open(web).SendAsync([_message with { Kind = AlarmKind.Test }], Cancel);
        web.Status = 404;
        BackupException untold = await Assert.ThrowsAsync<BackupException>(() => Open(web).SendAsync([_message with { Kind = AlarmKind.Test }], Cancel));

        Assert.Equal(BackupErrorId.AlarmNotDelivered, untold.Id);
        Assert.Equal(["/log", "/log"], web.Asked);
        Assert.All(web.Bodies, body => Assert.Empty(body));
    }

    [Fact]
    public async Task At_most_five_pings_a_minute_are_sent_and_what_ends_a_run_waits_for_its_turn()
    {
        await using var web = new RecordingWeb();
        var clock = new FakeClock { SkipsWaits = true };
        HealthchecksSink sink = Open(web, clock: clock);
        for (int i = 0; i < 8; i++)
        {
            await sink.StartAsync(_run, Cancel);
        }

        Assert.Equal(5, web.Asked.Count);
        Assert.Equal(TimeSpan.Zero, clock.Elapsed);

        await sink.EndAsync(_run, isSuccess: true, "", Cancel);

        Assert.Equal(6, web.Asked.Count);
        Assert.Equal(TimeSpan.FromMinutes(1), clock.Elapsed);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(302)]
    [InlineData(500)]
    public async Task What_is_refused_is_told_without_the_address(int status)
    {
        await using var web = new RecordingWeb { Status = status };

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => Open(web).LiveAsync(isWell: true, Cancel));

        Assert.Equal(BackupErrorId.AlarmNotDelivered, refused.Id);
        Assert.Contains($"{status}", refused.Message);
        Assert.DoesNotContain("secret-path", refused.Message);
    }

    private static HealthchecksSink Open(RecordingWeb web, bool logs = false, TimeProvider? clock = null) =>
        new(new SinkSettings { Kind = SinkKind.Healthchecks, Name = "check", Url = web.Url, Logs = logs }, clock ?? TimeProvider.System);
}
