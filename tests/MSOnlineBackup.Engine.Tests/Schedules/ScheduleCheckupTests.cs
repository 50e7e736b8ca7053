using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Vaults.Errors;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Jobs.JobsFixture;

namespace MSOnlineBackup.Engine.Tests.Schedules;

/// <summary>Each sabotage flips exactly the check that is meant.</summary>
public sealed class ScheduleCheckupTests : IDisposable
{
    private readonly FakeScheduler _scheduler = new();
    private readonly FakeCommands _commands = new() { Answer = _ => new CommandResult(0, "PowerShell 7.6.1\n", "") };
    private readonly JobsFixture _machine;
    private readonly string _shell;
    private readonly string _script;

    public ScheduleCheckupTests()
    {
        _machine = new JobsFixture { Scheduler = _scheduler, ScheduleParts = new ScheduleParts(new FakeConditions(), _commands) };
        _machine.Tree.Describe("f one 1000");
        _shell = Touch("pwsh");
        _script = Touch("obengine.ps1");
        _machine.ScheduleProgram = [_shell, "-NoProfile", "-NonInteractive", "-File", _script];
    }

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task All_is_well_and_a_policy_that_is_not_there_is_not_applicable()
    {
        BackupAgent agent = await SetAsync();

        IReadOnlyList<ScheduleFinding> findings = await agent.Schedules.TestAsync(Cancel);

        Assert.Equal(
            [
                (PolicyKind.Files, ScheduleCheck.Registered, ScheduleVerdict.Pass),
                (PolicyKind.Files, ScheduleCheck.Scheduler, ScheduleVerdict.Pass),
                (PolicyKind.Files, ScheduleCheck.Account, ScheduleVerdict.Pass),
                (PolicyKind.Files, ScheduleCheck.Program, ScheduleVerdict.Pass),
                (PolicyKind.Files, ScheduleCheck.ModulePath, ScheduleVerdict.Pass),
                (PolicyKind.Files, ScheduleCheck.ExecutionPolicy, ScheduleVerdict.NotApplicable),
                (PolicyKind.Files, ScheduleCheck.OtherProducts, OperatingSystem.IsLinux() ? ScheduleVerdict.Pass : ScheduleVerdict.NotApplicable),
                (PolicyKind.SystemState, ScheduleCheck.Registered, ScheduleVerdict.NotApplicable),
            ],
            findings.Select(finding => (finding.Policy, finding.Check, finding.Verdict)));
    }

    [Theory]
    [InlineData("deleted", ScheduleCheck.Registered, true)]
    [InlineData("disabled", ScheduleCheck.Registered, true)]
    [InlineData("changed", ScheduleCheck.Registered, true)]
    [InlineData("refused", ScheduleCheck.Registered, false)]
    [InlineData("daemon", ScheduleCheck.Scheduler, false)]
    [InlineData("nobody", ScheduleCheck.Account, true)]
    [InlineData("old shell", ScheduleCheck.Program, false)]
    [InlineData("broken shell", ScheduleCheck.Program, false)]
    [InlineData("no shell", ScheduleCheck.Program, false)]
    [InlineData("no script", ScheduleCheck.ModulePath, false)]
    public async Task A_sabotage_flips_one_check_and_repair_puts_right_what_is_registered(string sabotage, ScheduleCheck expected, bool isRepaired)
    {
        BackupAgent agent = await SetAsync();
        string name = Assert.Single(_scheduler.Tasks.Keys);
        switch (sabotage)
        {
            case "deleted":
                _scheduler.Tasks.Clear();
                break;
            case "disabled":
                _scheduler.IsEnabled = false;
                break;
            case "changed":
                _scheduler.Tasks[name] = _scheduler.Tasks[name] with { Command = ["/bin/true"] };
                break;
            case "refused":
                _scheduler.Refuses = new BackupException(BackupErrorId.ScheduleNotRegistered, "No.", "Do.");
                break;
            case "daemon":
                _scheduler.Fault = "It is dead.";
                break;
            case "nobody":
                _scheduler.Account = "nobody";
                break;
            case "old shell":
                _commands.Answer = _ => new CommandResult(0, "PowerShell 7.4.6\n", "");
                break;
            case "broken shell":
                _commands.Answer = _ => null;
                break;
            case "no shell":
                File.Delete(_shell);
                break;
            default:
                File.Delete(_script);
                break;
        }

        ScheduleFinding failed = Assert.Single(await agent.Schedules.TestAsync(Cancel), finding => finding.Verdict == ScheduleVerdict.Fail);

        Assert.Equal(expected, failed.Check);
        Assert.NotEmpty(failed.Cause);
        Assert.NotEmpty(failed.Fix);
        if (isRepaired)
        {
            await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
            Assert.DoesNotContain(await agent.Schedules.TestAsync(Cancel), finding => finding.Verdict == ScheduleVerdict.Fail);
        }
    }

    [Fact]
    public async Task What_a_policy_that_went_has_left_behind_is_seen_and_repaired()
    {
        BackupAgent agent = await SetAsync();
        agent.Policies.Remove(PolicyKind.Files);

        Assert.Equal(ScheduleVerdict.Warning, (await agent.Schedules.TestAsync(Cancel))[0].Verdict);
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);

        Assert.Equal(ScheduleVerdict.NotApplicable, (await agent.Schedules.TestAsync(Cancel))[0].Verdict);
    }

    [Fact]
    public async Task A_program_without_an_absolute_path_is_refused()
    {
        _machine.ScheduleProgram = ["pwsh"];

        BackupException refused = await FailAsync(SetAsync);

        Assert.Equal((BackupErrorId.ScheduleNotRegistered, "pwsh"), (refused.Id, refused.Target));
    }

    private async Task<BackupAgent> SetAsync()
    {
        BackupAgent agent = await _machine.ActivateAsync();
        await agent.Schedules.AlignAsync(PolicyKind.Files, Cancel);
        return agent;
    }

    private string Touch(string name)
    {
        string path = _machine[name];
        File.WriteAllText(path, "");
        return path;
    }
}
