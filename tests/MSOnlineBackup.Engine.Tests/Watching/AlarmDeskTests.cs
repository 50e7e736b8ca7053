using System.Text;
using System.Text.Json;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Engine.Tests.Sinks;
using MSOnlineBackup.Platform.SystemLogs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Watching;

/// <summary>Alarms arrive: by real servers of mail and web on loopback, and by a real program.</summary>
public sealed class AlarmDeskTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeClock _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Mail_webhooks_and_checks_are_told_of_an_alarm_and_of_its_end_each_once_and_a_restart_changes_nothing()
    {
        await using var mail = new RecordingMail();
        await using var web = new RecordingWeb();
        await using var check = new RecordingWeb();
        Open().Set(new AlarmSettings
        {
            HeartbeatHours = 0,
            Sinks =
            [
                new SinkSettings { Kind = SinkKind.Mail, Name = "admins", Server = "127.0.0.1", Port = mail.Port, Security = MailSecurity.None, From = "watch@example.com", To = ["a@example.com", "b@example.com"] },
                new SinkSettings { Kind = SinkKind.Webhook, Name = "json", Url = web.Url },
                new SinkSettings { Kind = SinkKind.Healthchecks, Name = "watcher", Url = check.Url },
            ],
        });

        Assert.Empty(await TellAsync(ComplianceState.Ok));
        Assert.Empty(mail.Mails);
        Assert.Equal([""], check.Asked);

        Assert.Empty(await TellAsync(ComplianceState.Late));
        Assert.Empty(await TellAsync(ComplianceState.Late));
        MimeKit.MimeMessage sent = Assert.Single(mail.Mails);
        Assert.Equal("Late: ALPHA (files)", sent.Subject);
        Assert.Equal(2, sent.To.Count);
        Assert.Contains("ALPHA is Late.", sent.TextBody);
        JsonElement message = Assert.Single(JsonDocument.Parse(Assert.Single(web.Bodies)).RootElement.GetProperty("messages").EnumerateArray().ToArray());
        Assert.Equal(("Raised", "ALPHA", "files", "Late", "BackupLate"), (Text(message, "kind"), Text(message, "machine"), Text(message, "policy"), Text(message, "state"), Text(message, "alarm")));

        Assert.Empty(await TellAsync(ComplianceState.Ok));
        Assert.Empty(await TellAsync(ComplianceState.Ok));
        Assert.Equal(["Late: ALPHA (files)", "OK: ALPHA (files)"], mail.Mails.Select(one => one.Subject));
        Assert.Equal(2, web.Bodies.Count);
        Assert.Equal(["", "/fail", "/fail", "", ""], check.Asked);
    }

    [Fact]
    public async Task A_place_that_takes_nothing_keeps_no_other_from_being_told_which_hears_of_it_and_it_is_tried_again()
    {
        await using var broken = new RecordingWeb { Status = 500 };
        await using var sound = new RecordingWeb();
        Open().Set(new AlarmSettings { HeartbeatHours = 0, Sinks = [Webhook("broken", broken), Webhook("sound", sound)] });

        BackupException untold = Assert.Single(await TellAsync(ComplianceState.Late));
        Assert.Equal((BackupErrorId.AlarmNotDelivered, "broken"), (untold.Id, untold.Target));
        Assert.Single(sound.Bodies);

        Assert.Single(await TellAsync(ComplianceState.Late));
        Assert.Contains("Alarms do not get to 'broken'", sound.Bodies[^1]);
        Assert.DoesNotContain("secret-path", sound.Bodies[^1]);
        broken.Status = 200;
        Assert.Empty(await TellAsync(ComplianceState.Late));
        Assert.Contains("Late: ALPHA", broken.Bodies[^1]);
        Assert.Empty(await TellAsync(ComplianceState.Late));
        Assert.Contains("is well again", sound.Bodies[^1]);
        Assert.Equal(2, sound.Bodies.Count);
        Assert.Equal(3, broken.Bodies.Count);
    }

    [Fact]
    public async Task That_the_vault_cannot_be_read_is_an_alarm_and_says_nothing_of_its_machines()
    {
        await using var web = new RecordingWeb();
        Open().Set(new AlarmSettings { HeartbeatHours = 0, Sinks = [Webhook("web", web)] });
        await TellAsync(ComplianceState.Late);

        await Open().TellAsync("/vault", null, new BackupException(BackupErrorId.VaultUnreachable, "It is away.", "Wait.", "/vault"), Cancel);
        await TellAsync(ComplianceState.Late);

        Assert.Equal(3, web.Bodies.Count);
        Assert.Contains("It is away.", web.Bodies[1]);
        Assert.DoesNotContain("ALPHA", web.Bodies[1]);
        Assert.Contains("Resolved", web.Bodies[2]);
        Assert.DoesNotContain("ALPHA", web.Bodies[2]);
    }

    [Fact]
    public async Task A_program_gets_each_message_in_its_environment_and_its_failure_is_told()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string script = _folder["on-alarm"];
        await File.WriteAllTextAsync(script, $"#!/bin/sh\necho \"$1|$OB_ALARM_KIND|$OB_ALARM_STATE|$OB_ALARM_ID|$OB_ALARM_MACHINE|$OB_ALARM_POLICY|$OB_ALARM_SUBJECT\" >> {_folder["told"]}\n[ ! -e {_folder["fail"]} ] || {{ echo no pager >&2; exit 3; }}\n", Cancel);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Open().Set(new AlarmSettings { HeartbeatHours = 0, Sinks = [new SinkSettings { Kind = SinkKind.Command, Name = "pager", Path = script, Arguments = ["one"] }] });

        Assert.Empty(await TellAsync(ComplianceState.Failing));
        Assert.Equal("one|Raised|Failing|BackupFailing|ALPHA|files|Failing: ALPHA (files)\n", await File.ReadAllTextAsync(_folder["told"], Cancel));

        await File.WriteAllTextAsync(_folder["fail"], "", Cancel);
        Assert.Contains("ended with 3: no pager", Assert.Single(await TellAsync(ComplianceState.Ok)).Message);
        Assert.Contains("ended with 3", Assert.Single(await Open().TryAsync(null, Cancel)).Failure!.Message);
    }

    [Fact]
    public async Task Passwords_and_addresses_are_sealed_and_what_was_changed_is_refused()
    {
        AlarmDesk desk = Open();
        Assert.Null(desk.Settings);
        Assert.Equal(BackupErrorId.AlarmSettingsInvalid, (await Assert.ThrowsAsync<BackupException>(() => desk.TryAsync(null, Cancel))).Id);
        desk.Set(Parse("""{"sinks":[{"kind":"mail","name":"m","server":"s","from":"f@example.com","to":["t@example.com"],"user":"u","password":"hush-hush"}]}"""));

        string file = _folder["state/alarms.json"];
        Assert.DoesNotContain("hush-hush", await File.ReadAllTextAsync(file, Cancel));
        Assert.Equal("hush-hush", Open().Settings!.Sinks[0].Password);
        Assert.Equal((24, 168), (desk.Settings!.Repeat.TotalHours, desk.Settings.Heartbeat.TotalHours));

        string text = await File.ReadAllTextAsync(file, Cancel);
        int at = text.IndexOf("\"sealed\": \"", StringComparison.Ordinal) + 40;
        await File.WriteAllTextAsync(file, text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..], Cancel);
        Assert.Equal(BackupErrorId.StateInvalid, Assert.Throws<BackupException>(() => Open().Settings).Id);
        Open().Set(null);
        Assert.Null(Open().Settings);
    }

    [Fact]
    public async Task Places_are_set_changed_tried_and_removed_one_by_one_and_a_mistake_changes_nothing()
    {
        await using var web = new RecordingWeb();
        AlarmDesk desk = Open();
        desk.Put(Webhook("one", web));
        desk.Put(new SinkSettings { Kind = SinkKind.Mail, Name = "Two", Server = "127.0.0.1", Port = 9, Security = MailSecurity.None, From = "f@example.com", To = ["t@example.com"] });
        Assert.Equal(["one", "Two"], desk.SetTimes(12, null).Sinks.Select(sink => sink.Name));
        Assert.Equal(BackupErrorId.AlarmSettingsInvalid, Assert.Throws<BackupException>(() => desk.Put(new SinkSettings { Kind = SinkKind.Webhook, Name = "three", Url = "no address" })).Id);
        Assert.Equal(BackupErrorId.AlarmSettingsInvalid, Assert.Throws<BackupException>(() => desk.SetTimes(null, AlarmSettings.MostHours + 1)).Id);

        IReadOnlyList<SinkTrial> trials = await Open().TryAsync(null, Cancel);
        Assert.Equal([("one", null), ("Two", BackupErrorId.AlarmNotDelivered)], trials.Select(trial => (trial.Sink.Name, trial.Failure?.Id)));
        Assert.Single(await desk.TryAsync("ONE", Cancel));
        Assert.Equal(2, web.Bodies.Count);

        AlarmSettings changed = desk.Put(Webhook("TWO", web));
        Assert.Equal(["one", "TWO"], changed.Sinks.Select(sink => sink.Name));
        Assert.Equal((12, 168), (changed.Repeat.TotalHours, changed.Heartbeat.TotalHours));
        Assert.Equal(BackupErrorId.ArgumentInvalid, Assert.Throws<BackupException>(() => desk.Remove("three")).Id);
        Assert.Equal(BackupErrorId.ArgumentInvalid, (await Assert.ThrowsAsync<BackupException>(() => desk.TryAsync("three", Cancel))).Id);
        desk.Remove("two");
        desk.Remove("one");
        Assert.Empty(Open().Settings!.Sinks);
        Assert.Equal(BackupErrorId.AlarmSettingsInvalid, (await Assert.ThrowsAsync<BackupException>(() => desk.TryAsync(null, Cancel))).Id);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("""{"sinks":[{"kind":"pigeon","name":"p"}]}""", "kind")]
    [InlineData("""{"sinks":[{"kind":"webhook","name":"w","url":"file:///etc"}]}""", "'w': url")]
    [InlineData("""{"sinks":[{"kind":"command","name":"c","path":"relative"}]}""", "'c': path")]
    [InlineData("""{"sinks":[{"kind":"mail","name":"m","server":"s"}]}""", "'m': mail needs")]
    [InlineData("""{"sinks":[{"kind":"webhook","name":"w","url":"http://a"},{"kind":"webhook","name":"W","url":"http://b"}]}""", "two places")]
    [InlineData("""{"sinks":[],"repeatHour":3}""", "repeatHour")]
    public void What_says_nothing_sensible_is_refused(string json, string why)
    {
        BackupException refused = Assert.Throws<BackupException>(() => Parse(json));

        Assert.Equal(BackupErrorId.AlarmSettingsInvalid, refused.Id);
        Assert.Contains(why, refused.Message);
    }

    [Fact]
    public void Slack_and_Teams_get_what_they_take()
    {
        AlarmMessage[] messages = [new AlarmMessage(AlarmKind.Raised, "/vault", "Late: ALPHA", "ALPHA is \"late\".", "Look.", DateTimeOffset.UnixEpoch)];

        Assert.Contains("ALPHA is \"late\".", JsonDocument.Parse(WebhookSink.Write(WebhookFormat.Slack, messages)).RootElement.GetProperty("text").GetString());
        JsonElement card = JsonDocument.Parse(WebhookSink.Write(WebhookFormat.Teams, messages)).RootElement.GetProperty("attachments")[0].GetProperty("content");
        Assert.Equal("AdaptiveCard", card.GetProperty("type").GetString());
        Assert.Equal("Late: ALPHA", card.GetProperty("body")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task The_first_log_of_the_system_that_takes_a_message_has_it_with_its_fields()
    {
        var log = new FakeLog();
        AlarmMessage message = new(AlarmKind.Raised, "/vault", "Late: ALPHA", "ALPHA is late.", "Look.", DateTimeOffset.UnixEpoch) { Machine = "ALPHA" };
        var settings = new SinkSettings { Kind = SinkKind.SystemLog, Name = "log" };

        await new SystemLogSink(settings, _clock, () => [new FakeLog { Refuses = true }, log]).SendAsync([message], Cancel);
        SystemLogEntry entry = Assert.Single(log.Entries);
        Assert.Equal((SystemLogLevel.Warning, 110, "ALPHA is late. Look."), (entry.Level, entry.EventId, entry.Message));
        Assert.Contains(KeyValuePair.Create("OB_ALARM_MACHINE", "ALPHA"), entry.Fields);

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => new SystemLogSink(settings, _clock, () => [new FakeLog { Refuses = true }]).SendAsync([message], Cancel));
        Assert.Equal(BackupErrorId.AlarmNotDelivered, refused.Id);
        Assert.Contains("full", refused.Message);
    }

    private sealed class FakeLog : ISystemLog
    {
        public List<SystemLogEntry> Entries { get; } = [];

        public bool Refuses { get; init; }

        public void Write(SystemLogEntry entry)
        {
            if (Refuses)
            {
                throw new IOException("It is full.");
            }

            Entries.Add(entry);
        }
    }

    private static AlarmSettings Parse(string json) => AlarmSettings.Parse(Encoding.UTF8.GetBytes(json), "alarms");

    private static SinkSettings Webhook(string name, RecordingWeb web) => new() { Kind = SinkKind.Webhook, Name = name, Url = web.Url };

    private static string? Text(JsonElement message, string field) => message.GetProperty(field).GetString();

    // Each time as another process would.
    private AlarmDesk Open() => new(new StateFolder(_folder["state"]), _clock);

    private Task<IReadOnlyList<BackupException>> TellAsync(ComplianceState state) =>
        Open().TellAsync("/vault", new VaultCompliance(_clock.GetUtcNow(), [new PolicyCompliance("ALPHA", "files", state, $"ALPHA is {state}.", "Look.")], []), null, Cancel);
}
