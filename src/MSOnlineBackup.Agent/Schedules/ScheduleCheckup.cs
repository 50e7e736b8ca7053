using System.Text.RegularExpressions;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules.Others;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What can keep a schedule from running.</summary>
public enum ScheduleCheck
{
    /// <summary>That it is registered, as it should be, and switched on.</summary>
    Registered,

    /// <summary>That the scheduler runs.</summary>
    Scheduler,

    /// <summary>With whose rights it runs.</summary>
    Account,

    /// <summary>That the program that it runs is there, and new enough.</summary>
    Program,

    /// <summary>That the program finds the module without a module path.</summary>
    ModulePath,

    /// <summary>That no policy of the system keeps the script from running.</summary>
    ExecutionPolicy,

    /// <summary>That no other product backs up, or takes snapshots, by a schedule of its own.</summary>
    OtherProducts,
}

/// <summary>What a check found.</summary>
public enum ScheduleVerdict
{
    /// <summary>Nothing is amiss.</summary>
    Pass,

    /// <summary>It runs, and somebody should look at it.</summary>
    Warning,

    /// <summary>The schedule does not run.</summary>
    Fail,

    /// <summary>There is no such thing here.</summary>
    NotApplicable,
}

/// <summary>What a check of the schedule of a policy found.</summary>
/// <param name="Policy">The policy's kind.</param>
/// <param name="Check">What was checked.</param>
/// <param name="Verdict">How it is.</param>
/// <param name="Cause">The same as a sentence.</param>
/// <param name="Fix">What to do; empty where nothing is needed.</param>
public sealed record ScheduleFinding(PolicyKind Policy, ScheduleCheck Check, ScheduleVerdict Verdict, string Cause, string Fix = "");

/// <summary>Looks for what keeps schedules from running.</summary>
internal sealed partial class ScheduleCheckup(AgentSchedules schedules, ISystemScheduler? scheduler, ISystemCommands commands, SystemJobs jobs)
{
    private const string Repair = "Run Repair-OBSchedule, or 'obengine schedule install'.";
    private static readonly Version _oldestShell = new(7, 6);

    /// <summary>All checks of all policies; a policy that is paused, or not there, has one.</summary>
    public async Task<IReadOnlyList<ScheduleFinding>> RunAsync(CancellationToken cancellationToken)
    {
        var findings = new List<ScheduleFinding>();
        foreach (PolicyKind kind in AgentSchedules.Kinds)
        {
            findings.Add(await CheckRegisteredAsync(kind, cancellationToken).ConfigureAwait(false));
            if (schedules.Wanted(kind) is not null)
            {
                findings.Add(await CheckSchedulerAsync(kind, cancellationToken).ConfigureAwait(false));
                findings.Add(await CheckAccountAsync(kind, cancellationToken).ConfigureAwait(false));
                findings.Add(await CheckProgramAsync(kind, cancellationToken).ConfigureAwait(false));
                findings.Add(CheckModulePath(kind));
                findings.Add(CheckExecutionPolicy(kind));
                findings.Add(await CheckOthersAsync(kind, cancellationToken).ConfigureAwait(false));
            }
        }

        return findings;
    }

    private static bool IsShell(string program) => Path.GetFileNameWithoutExtension(program).Equals("pwsh", StringComparison.OrdinalIgnoreCase);

    private static string? ScriptIn(IReadOnlyList<string> command) => command.SkipWhile(argument => argument != "-File").Skip(1).FirstOrDefault();

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex VersionIn();

    private async Task<ScheduleFinding> CheckRegisteredAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        ScheduleStatus status;
        try
        {
            status = await schedules.FindAsync(kind, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.SchedulerUnavailable or BackupErrorId.ScheduleNotRegistered)
        {
            return new ScheduleFinding(kind, ScheduleCheck.Registered, schedules.Wanted(kind) is null ? ScheduleVerdict.NotApplicable : ScheduleVerdict.Fail, e.Message, e.RecommendedAction);
        }

        string label = PolicyScope.Of(kind).Label;
        if (status.Registration is ScheduleRegistration.Changed or ScheduleRegistration.Disabled
            && await FindGoneVersionAsync(kind, cancellationToken).ConfigureAwait(false) is { } gone)
        {
            return new ScheduleFinding(
                kind,
                ScheduleCheck.Registered,
                ScheduleVerdict.Fail,
                $"What {status.Scheduler} has for the policy for {label} names version {gone} of the module, which is not there any more: nothing is backed up.",
                Repair);
        }

        (ScheduleVerdict verdict, string cause, string fix) = status.Registration switch
        {
            ScheduleRegistration.Registered => (ScheduleVerdict.Pass, $"{status.Scheduler} runs the schedule of the policy for {label}; the next backup is due at {status.NextRun?.UtcDateTime:u}.", ""),
            ScheduleRegistration.Missing => (ScheduleVerdict.Fail, $"{status.Scheduler} does not know the schedule of the policy for {label}: '{status.Place}' is not there.", Repair),
            ScheduleRegistration.Disabled => (ScheduleVerdict.Fail, $"The schedule of the policy for {label} is switched off in {status.Scheduler}.", Repair),
            ScheduleRegistration.Changed => (ScheduleVerdict.Fail, $"What {status.Scheduler} has for the policy for {label} is not what is registered now: it was changed, or the program has moved.", Repair),
            ScheduleRegistration.LeftOver => (ScheduleVerdict.Warning, $"{status.Scheduler} still has a schedule for {label}, though no policy wants one.", Repair),
            ScheduleRegistration.NotUsed => (
                schedules.Wanted(kind) is null ? ScheduleVerdict.NotApplicable : ScheduleVerdict.Warning,
                $"No scheduler of the system is used for the policy for {label}; whether something else runs its schedule is not known.",
                schedules.Wanted(kind) is null ? "" : status.Advice),
            _ => (ScheduleVerdict.NotApplicable, $"There is no policy for {label} whose schedule is to run, or it is paused.", ""),
        };
        return new ScheduleFinding(kind, ScheduleCheck.Registered, verdict, cause, fix);
    }

    // The schedule of another state folder keeps its version, which somebody may have removed since.
    private async Task<string?> FindGoneVersionAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        if (schedules.FindPlace() is not { } place || await schedules.ReadInstalledAsync(kind, cancellationToken).ConfigureAwait(false) is not { } text)
        {
            return null;
        }

        return Regex.Matches(text, Regex.Escape(place.Root) + @"[\\/]+(?<version>[0-9.]+)[\\/]", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(found => found.Groups["version"].Value)
            .FirstOrDefault(version => !Directory.Exists(Path.Combine(place.Root, version)));
    }

    private async Task<ScheduleFinding> CheckSchedulerAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        if (scheduler is null)
        {
            return new ScheduleFinding(kind, ScheduleCheck.Scheduler, ScheduleVerdict.NotApplicable, "No scheduler of the system is used.");
        }

        string? fault;
        try
        {
            fault = await scheduler.FindFaultAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SchedulerUnavailable)
        {
            fault = e.Message;
        }

        return fault is null
            ? new ScheduleFinding(kind, ScheduleCheck.Scheduler, ScheduleVerdict.Pass, $"{scheduler.Name} answers.")
            : new ScheduleFinding(kind, ScheduleCheck.Scheduler, ScheduleVerdict.Fail, fault, $"Start {scheduler.Name}, and have it start with the machine.");
    }

    private async Task<ScheduleFinding> CheckAccountAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        string? account = null;
        try
        {
            account = (await schedules.FindInstalledAsync(kind, cancellationToken).ConfigureAwait(false))?.Account;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.SchedulerUnavailable or BackupErrorId.ScheduleNotRegistered)
        {
            // The first check says so.
        }

        return account switch
        {
            null => new ScheduleFinding(kind, ScheduleCheck.Account, ScheduleVerdict.NotApplicable, "Nothing is registered."),
            "root" or "SYSTEM" => new ScheduleFinding(kind, ScheduleCheck.Account, ScheduleVerdict.Pass, $"It runs as {account}."),
            _ when account == Environment.UserName && !Environment.IsPrivilegedProcess => new ScheduleFinding(
                kind,
                ScheduleCheck.Account,
                ScheduleVerdict.Warning,
                $"It runs as {account}, and reads only what that account may read.",
                "To protect the whole machine, register the machine and set the policy as root or administrator. A user's systemd runs while nobody is logged in only after 'loginctl enable-linger'."),
            _ => new ScheduleFinding(
                kind, ScheduleCheck.Account, ScheduleVerdict.Fail, $"It runs as {account}, which can read neither this machine's state nor what is protected.", Repair),
        };
    }

    private async Task<ScheduleFinding> CheckProgramAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        string program = schedules.CommandOf(kind)[0];
        if (!Path.IsPathFullyQualified(program) || !File.Exists(program))
        {
            return new ScheduleFinding(kind, ScheduleCheck.Program, ScheduleVerdict.Fail, $"The program '{program}' is not there, or its path is not absolute.", $"Reinstall it. {Repair}");
        }

        if (!IsShell(program))
        {
            return new ScheduleFinding(kind, ScheduleCheck.Program, ScheduleVerdict.Pass, $"'{program}' is run; it needs no PowerShell.");
        }

        CommandResult? result = await commands.RunAsync(program, ["--version"], cancellationToken).ConfigureAwait(false);
        return result is not null && Version.TryParse(VersionIn().Match(result.Output).Value, out Version? version) && version >= _oldestShell
            ? new ScheduleFinding(kind, ScheduleCheck.Program, ScheduleVerdict.Pass, $"'{program}' is PowerShell {version}.")
            : new ScheduleFinding(
                kind,
                ScheduleCheck.Program,
                ScheduleVerdict.Fail,
                $"'{program}' does not run, or is older than PowerShell {_oldestShell}: {result?.Output.Trim()}{result?.Error.Trim()}",
                $"Install PowerShell {_oldestShell} or newer. {Repair}");
    }

    private ScheduleFinding CheckModulePath(PolicyKind kind)
    {
        IReadOnlyList<string> command = schedules.CommandOf(kind);
        return ScriptIn(command) is not { } script
            ? new ScheduleFinding(kind, ScheduleCheck.ModulePath, ScheduleVerdict.NotApplicable, "No module is loaded: obengine itself is run.")
            : Path.IsPathFullyQualified(script) && File.Exists(script)
                ? new ScheduleFinding(kind, ScheduleCheck.ModulePath, ScheduleVerdict.Pass, $"'{script}' is run by its full path; PSModulePath does not matter.")
                : new ScheduleFinding(kind, ScheduleCheck.ModulePath, ScheduleVerdict.Fail, $"The script '{script}' is not there.", $"Reinstall the module. {Repair}");
    }

    private ScheduleFinding CheckExecutionPolicy(PolicyKind kind)
    {
        IReadOnlyList<string> command = schedules.CommandOf(kind);
        return !OperatingSystem.IsWindows() || ScriptIn(command) is null
            ? new ScheduleFinding(kind, ScheduleCheck.ExecutionPolicy, ScheduleVerdict.NotApplicable, "No execution policy applies to what is run.")
            : command.Contains("-ExecutionPolicy")
                ? new ScheduleFinding(kind, ScheduleCheck.ExecutionPolicy, ScheduleVerdict.Pass, "The command brings its own execution policy. A group policy would still overrule it: 'Get-ExecutionPolicy -List' shows one.")
                : new ScheduleFinding(kind, ScheduleCheck.ExecutionPolicy, ScheduleVerdict.Fail, "The execution policy of this machine may keep the script from running.", Repair);
    }

    private async Task<ScheduleFinding> CheckOthersAsync(PolicyKind kind, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new ScheduleFinding(kind, ScheduleCheck.OtherProducts, ScheduleVerdict.NotApplicable, "Schedules of other products are looked for on Linux only.");
        }

        IReadOnlyList<OtherBackup> others = OtherProducts.Find(await jobs.ListAsync(cancellationToken).ConfigureAwait(false));
        return others.Count == 0
            ? new ScheduleFinding(kind, ScheduleCheck.OtherProducts, ScheduleVerdict.Pass, "No timer and no line of cron that this account can see runs another backup product.")
            : new ScheduleFinding(
                kind,
                ScheduleCheck.OtherProducts,
                ScheduleVerdict.Warning,
                $"Other products back up or take snapshots by schedules of their own: {string.Join(", ", others)}.",
                "Have them run at other times: two that read the disk at once are slow, and one that freezes a volume, or takes its last snapshot, stands in the other's way.");
    }
}
