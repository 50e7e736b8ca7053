using System.Globalization;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether this machine can back up, and does. No check changes anything, shows a secret, or waits long.</summary>
public sealed class AgentHealth
{
    private readonly JobMachine _machine;
    private readonly AgentJobs _jobs;
    private readonly AgentSchedules _schedules;
    private readonly HealthContext _context;
    private readonly HealthParts _parts;

    internal AgentHealth(JobMachine machine, AgentJobs jobs, AgentSchedules schedules, HealthContext context, HealthParts parts)
    {
        _machine = machine;
        _jobs = jobs;
        _schedules = schedules;
        _context = context;
        _parts = parts;
    }

    /// <summary>Whether this machine has what the agent needs, before anything is set up.</summary>
    /// <param name="scratchFolder">The absolute path of the folder that is to be the scratch folder; null for the one that it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<HealthFinding>> TestPrerequisitesAsync(string? scratchFolder, CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>(new PlatformChecks(_parts, _context, _machine.Clock).Run())
        {
            await CheckSchedulerAsync(cancellationToken).ConfigureAwait(false),
        };
        bool isMade = scratchFolder is null && !IsScratchNeeded();
        findings.AddRange(new ScratchChecks(_parts).Run(scratchFolder ?? ScratchPath(), isMade, protectedBytes: 0));
        return findings;
    }

    /// <summary>Everything: the prerequisites, and how this machine, its vault, its policies and its schedules stand.</summary>
    public async Task<IReadOnlyList<HealthFinding>> TestAsync(CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>(new PlatformChecks(_parts, _context, _machine.Clock).Run())
        {
            await CheckSchedulerAsync(cancellationToken).ConfigureAwait(false),
        };
        var account = new AccountChecks(_machine, _jobs);
        var policies = new PolicyChecks(_machine, _jobs);
        HealthFinding state = account.CheckState();
        bool isSound = state.Verdict == HealthVerdict.Pass;
        findings.AddRange(new ScratchChecks(_parts).Run(ScratchPath(), isMade: !IsScratchNeeded(), isSound ? policies.MeasureProtected() : 0));
        var local = new LocalChecks(_parts, _context, _machine.State, ScratchPath);
        findings.Add(await local.CheckModuleAsync(cancellationToken).ConfigureAwait(false));
        findings.Add(state);
        if (isSound)
        {
            findings.AddRange(account.Run());
            findings.AddRange(await CheckVaultAsync(cancellationToken).ConfigureAwait(false));
            findings.AddRange(policies.Run());
            findings.AddRange(await CheckSchedulesAsync(cancellationToken).ConfigureAwait(false));
        }

        findings.AddRange(local.Run());
        HashSet<HealthCheck> done = [.. findings.Select(finding => finding.Check)];
        findings.AddRange(Enum.GetValues<HealthCheck>().Where(check => !done.Contains(check)).Select(check =>
            HealthFinding.NotApplicable(check, "The state of this machine cannot be read.")));
        return [.. findings.OrderBy(finding => finding.Check)];
    }

    /// <summary>What can be done on this machine.</summary>
    public IReadOnlyList<Capability> FindCapabilities() => [.. Capabilities.Of(_parts, _schedules.SchedulerName, HasSystemState())];

    /// <summary>Where a report is to go: the path, or a new file in the folder that is there, named by the time.</summary>
    /// <param name="path">An absolute path.</param>
    public string PlaceReport(string path) => !Directory.Exists(path)
        ? path
        : Path.Combine(path, $"MSOnlineBackup-diagnostic-{_machine.Clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}.zip");

    /// <summary>Writes what somebody has to know who is to help into a new zip file, readable by its owner only. No secret is in it.</summary>
    /// <param name="path">The absolute path of the file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid: the file is there, or cannot be written.</exception>
    public Task ExportAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new DiagnosticReport(_machine, _jobs, this, _schedules, _context, _parts).WriteAsync(path, cancellationToken);
    }

    private static bool HasSystemState()
    {
        try
        {
            PolicyScope.Of(PolicyKind.SystemState).RequireSupport();
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.NotAvailable)
        {
            return false;
        }
    }

    private async Task<IEnumerable<HealthFinding>> CheckVaultAsync(CancellationToken cancellationToken) => _machine.Account.Registration is { } registration
        ? await new VaultChecks(_machine.Account, _machine.Contact, _context, _machine.Clock).RunAsync(registration, cancellationToken).ConfigureAwait(false)
        : VaultChecks.None("The machine is not registered.");

    private async Task<HealthFinding> CheckSchedulerAsync(CancellationToken cancellationToken)
    {
        const HealthCheck Check = HealthCheck.Scheduler;
        if (_schedules.SchedulerName is not { } name)
        {
            return HealthFinding.NotApplicable(Check, "No scheduler of the system is used.");
        }

        string? fault;
        try
        {
            fault = await _schedules.FindSchedulerFaultAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SchedulerUnavailable)
        {
            fault = e.Message;
        }

        return fault is null
            ? HealthFinding.Pass(Check, $"{name} answers.")
            : HealthFinding.Fail(Check, fault, $"Install and start {name}, and have it start with the machine.");
    }

    // One row a cause, whichever policy's schedule it is; the scheduler itself has its own.
    private async Task<IEnumerable<HealthFinding>> CheckSchedulesAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<ScheduleFinding> found = await _schedules.TestAsync(cancellationToken).ConfigureAwait(false);
        return Enum.GetValues<ScheduleCheck>().Where(check => check != ScheduleCheck.Scheduler).Select(check =>
        {
            HealthCheck row = RowOf(check);
            ScheduleFinding? worst = found.Where(finding => finding.Check == check).MinBy(finding => finding.Verdict switch
            {
                ScheduleVerdict.Fail => 0,
                ScheduleVerdict.Warning => 1,
                ScheduleVerdict.Pass => 2,
                _ => 3,
            });
            return worst is null
                ? HealthFinding.NotApplicable(row, "No schedule is to run.")
                : new HealthFinding(row, Enum.Parse<HealthVerdict>(worst.Verdict.ToString()), worst.Cause, worst.Fix);
        });
    }

    private static HealthCheck RowOf(ScheduleCheck check) => check switch
    {
        ScheduleCheck.Registered => HealthCheck.ScheduleRegistered,
        ScheduleCheck.Account => HealthCheck.ScheduleAccount,
        ScheduleCheck.Program => HealthCheck.ScheduleProgram,
        ScheduleCheck.ModulePath => HealthCheck.ScheduleModulePath,
        ScheduleCheck.ExecutionPolicy => HealthCheck.ScheduleExecutionPolicy,
        ScheduleCheck.OtherProducts => HealthCheck.OtherBackups,
        _ => throw new ArgumentOutOfRangeException(nameof(check), check, "It has no row."),
    };

    // Once a key file was written, the folder must be there.
    private bool IsScratchNeeded()
    {
        try
        {
            return _machine.Account.HasPassphrase;
        }
        catch (BackupException)
        {
            return false;
        }
    }

    private string ScratchPath()
    {
        try
        {
            return _machine.Account.Scratch.Path;
        }
        catch (BackupException)
        {
            // Where it was moved to is in the state that cannot be read, and that is a finding of its own.
            return _machine.State.PathOf("scratch");
        }
    }
}
