using System.Xml.Linq;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>launchd and the Task Scheduler, which run on none of the systems that test this: what is written, and what is asked.</summary>
public sealed class OtherSchedulersTests : IDisposable
{
    private static readonly ScheduledTask _task = new("msonlinebackup-files", "the backup", ["/opt/ob & engine", "schedule", "run", "--state", @"C:\a b\", "say \"so\""], [5, 35]);
    private static readonly XNamespace _names = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    private readonly TempFolder _folder = new();
    private readonly FakeCommands _commands = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Launchd_gets_a_list_that_says_what_is_run_and_at_which_minutes()
    {
        var scheduler = new LaunchdScheduler(_folder.Path, "system", _commands);

        await scheduler.InstallAsync(_task, Cancel);

        string file = _folder["com.msonlinebackup.files.plist"];
        XElement list = XDocument.Parse(await File.ReadAllTextAsync(file, Cancel)).Root!.Element("dict")!;
        Assert.Equal("com.msonlinebackup.files", Value("Label").Value);
        Assert.Equal(_task.Command, Value("ProgramArguments").Elements("string").Select(argument => argument.Value));
        Assert.Equal([5, 35], Value("StartCalendarInterval").Elements("dict").Select(entry => (int)entry.Element("integer")!));
        Assert.Equal(
            ["launchctl bootout system/com.msonlinebackup.files", "launchctl enable system/com.msonlinebackup.files", $"launchctl bootstrap system {file}"], _commands.Asked);
        Assert.Equal(new InstalledTask(true, true, "root"), await scheduler.FindAsync(_task, Cancel));

        _commands.Answer = line => new CommandResult(line.Contains("print", StringComparison.Ordinal) ? 113 : 0, "", "");
        Assert.False((await scheduler.FindAsync(_task, Cancel))!.IsEnabled);
        await scheduler.RemoveAsync(_task.Name, Cancel);
        Assert.Empty(Directory.GetFiles(_folder.Path));

        XElement Value(string key) => list.Elements("key").Single(element => element.Value == key).ElementsAfterSelf().First();
    }

    [Fact]
    public async Task Another_user_in_a_daemons_list_is_seen()
    {
        var scheduler = new LaunchdScheduler(_folder.Path, "system", _commands);
        await scheduler.InstallAsync(_task, Cancel);
        string file = scheduler.PlaceOf(_task.Name);
        string text = await File.ReadAllTextAsync(file, Cancel);
        await File.WriteAllTextAsync(file, text.Replace("</dict>\n</plist>", "  <key>UserName</key>\n  <string>nobody</string>\n</dict>\n</plist>", StringComparison.Ordinal), Cancel);

        Assert.Equal(new InstalledTask(false, true, "nobody"), await scheduler.FindAsync(_task, Cancel));
    }

    [Fact]
    public void The_task_scheduler_gets_what_its_schema_has_in_the_order_that_it_demands()
    {
        XElement task = WindowsTaskScheduler.DefinitionOf(_task, WindowsTaskScheduler.SystemAccount).Root!;

        Assert.Equal(["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"], task.Elements().Select(element => element.Name.LocalName));
        Assert.Equal(["2026-01-01T00:05:00", "2026-01-01T00:35:00"], task.Descendants(_names + "StartBoundary").Select(element => element.Value));
        Assert.All(task.Descendants(_names + "Interval"), element => Assert.Equal("PT1H", element.Value));
        Assert.Equal("S-1-5-18", task.Descendants(_names + "UserId").Single().Value);
        Assert.Equal("true", task.Descendants(_names + "StartWhenAvailable").Single().Value);
        Assert.Equal("false", task.Descendants(_names + "DisallowStartIfOnBatteries").Single().Value);
        Assert.Equal("IgnoreNew", task.Descendants(_names + "MultipleInstancesPolicy").Single().Value);
        Assert.Equal("/opt/ob & engine", task.Descendants(_names + "Command").Single().Value);
        Assert.Equal("""
            "schedule" "run" "--state" "C:\a b\\" "say \"so\""
            """, task.Descendants(_names + "Arguments").Single().Value);
    }

    [Fact]
    public async Task The_task_scheduler_is_given_a_file_and_asked_for_its_definition()
    {
        string? definition = null;
        _commands.Answer = line =>
        {
            if (line.Contains("/Create", StringComparison.Ordinal))
            {
                definition = File.ReadAllText(line.Split("/XML ")[1].Split(" /F")[0]);
            }

            return new CommandResult(line.Contains("/Query", StringComparison.Ordinal) && definition is null ? 1 : 0, definition ?? "", "");
        };
        var scheduler = new WindowsTaskScheduler(_folder.Path, WindowsTaskScheduler.SystemAccount, _commands);
        Assert.Null(await scheduler.FindAsync(_task, Cancel));

        await scheduler.InstallAsync(_task, Cancel);

        Assert.Equal(new InstalledTask(true, true, "SYSTEM"), await scheduler.FindAsync(_task, Cancel));
        definition = definition!.Replace("<Enabled>true</Enabled>", "<Enabled>false</Enabled>", StringComparison.Ordinal).Replace("S-1-5-18", "S-1-5-19", StringComparison.Ordinal);
        Assert.Equal(new InstalledTask(true, false, "S-1-5-19"), await scheduler.FindAsync(_task, Cancel));
        Assert.Empty(Directory.GetFiles(_folder.Path));
        await scheduler.RemoveAsync(_task.Name, Cancel);
        Assert.EndsWith(@"/Delete /TN \MSOnlineBackup\msonlinebackup-files /F", _commands.Asked[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_battery_counts_where_no_mains_are_and_the_network_where_it_is_known()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The files are those of Linux.");
        var conditions = new MachineConditions(_folder.Path, _commands);
        Assert.False(await conditions.IsOnBatteryAsync(Cancel));
        Supply("BAT0", ("type", "Battery"), ("status", "Discharging"));
        Supply("AC", ("type", "Mains"), ("online", "0"));
        Assert.True(await conditions.IsOnBatteryAsync(Cancel));
        Supply("AC", ("online", "1"));
        Assert.False(await conditions.IsOnBatteryAsync(Cancel));

        Assert.False(await conditions.IsMeteredAsync(Cancel));
        _commands.Answer = _ => new CommandResult(0, "unknown\nyes (guessed)\n", "");
        Assert.True(await conditions.IsMeteredAsync(Cancel));
        _commands.Answer = _ => null;
        Assert.False(await conditions.IsMeteredAsync(Cancel));

        void Supply(string name, params (string Name, string Value)[] values)
        {
            Directory.CreateDirectory(_folder[name]);
            foreach ((string file, string value) in values)
            {
                File.WriteAllText(Path.Combine(_folder[name], file), value + "\n");
            }
        }
    }
}
