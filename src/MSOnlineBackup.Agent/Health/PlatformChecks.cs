using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether this is a machine on which the agent runs.</summary>
internal sealed class PlatformChecks(HealthParts parts, HealthContext context, TimeProvider clock)
{
    private static readonly Version _leastRuntime = new(10, 0);
    private static readonly Version _leastShell = new(7, 6);

    /// <summary>All of it.</summary>
    public IEnumerable<HealthFinding> Run()
    {
        yield return CheckProcess();
        yield return CheckSystem();
        yield return CheckSupport();
        yield return CheckRestart();
        yield return CheckRuntime();
        yield return CheckShell();
        yield return CheckDerivation();
        yield return CheckMount();
        yield return CheckAccount();
        yield return CheckZone();
    }

    private HealthFinding CheckProcess() => parts.Is64Bit
        ? HealthFinding.Pass(HealthCheck.Process, $"The process has 64 bits ({HealthParts.Architecture}).")
        : HealthFinding.Fail(HealthCheck.Process, "This is a process of 32 bits; large files cannot be mapped in it.", "Use a 64-bit PowerShell or obengine.");

    private HealthFinding CheckSystem() => parts.System.Family == SystemFamily.Other
        ? HealthFinding.Fail(HealthCheck.OperatingSystem, $"This was not made for {parts.System.Name}.", "Use Linux, Windows or macOS.")
        : HealthFinding.Pass(HealthCheck.OperatingSystem, $"{parts.System.Name}. Get-OBCapability says what can be done on it.");

    private HealthFinding CheckSupport()
    {
        if (SupportEnds.Of(parts.System) is not { } end)
        {
            return HealthFinding.NotApplicable(HealthCheck.EndOfSupport, $"Until when {parts.System.Name} is mended is not known.");
        }

        return DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime) <= end
            ? HealthFinding.Pass(HealthCheck.EndOfSupport, $"{parts.System.Name} is mended until {end:yyyy-MM-dd}.")
            : HealthFinding.Warning(
                HealthCheck.EndOfSupport,
                $"The support of {parts.System.Name} ended on {end:yyyy-MM-dd}: holes in it stay open.",
                "Move to a newer version, or buy longer support. Backups go on meanwhile.");
    }

    private HealthFinding CheckRestart() => File.Exists(parts.RestartFile)
        ? HealthFinding.Warning(
            HealthCheck.PendingRestart, $"An update of the system waits for a restart, as '{parts.RestartFile}' says.", "Restart the machine when no job runs.")
        : HealthFinding.Pass(HealthCheck.PendingRestart, "No update is known to wait for a restart.");

    private HealthFinding CheckRuntime() => parts.Runtime >= _leastRuntime
        ? HealthFinding.Pass(HealthCheck.DotNet, $".NET {parts.Runtime}.")
        : HealthFinding.Fail(HealthCheck.DotNet, $"This is .NET {parts.Runtime}; at least {_leastRuntime} is needed.",
            "Install a newer PowerShell, which brings its own .NET.");

    private HealthFinding CheckShell() => context.PowerShell switch
    {
        null => HealthFinding.NotApplicable(HealthCheck.PowerShell, "No PowerShell is used."),
        { } version when version >= _leastShell => HealthFinding.Pass(HealthCheck.PowerShell, $"PowerShell {version}."),
        { } version => HealthFinding.Fail(HealthCheck.PowerShell, $"This is PowerShell {version}; at least {_leastShell} is needed.",
            "Install a newer PowerShell."),
    };

    private HealthFinding CheckDerivation() => parts.HasArgon2id
        ? HealthFinding.Pass(HealthCheck.KeyDerivation, "Keys are derived by Argon2id.")
        : HealthFinding.Warning(
            HealthCheck.KeyDerivation,
            "libsodium cannot be loaded: new key slots are of PBKDF2, and those of Argon2id cannot be opened here.",
            "Install the libraries that libsodium needs (the Visual C++ runtime on Windows), or add a key slot by 'obengine key add --kdf pbkdf2'.");

    private HealthFinding CheckMount() => parts.System.Family != SystemFamily.Linux
        ? HealthFinding.NotApplicable(HealthCheck.Mount, "Nothing has to be installed for it.")
        : parts.HasProgram("fusermount3")
            ? HealthFinding.Pass(HealthCheck.Mount, "fusermount3 is there.")
            : HealthFinding.Warning(
                HealthCheck.Mount,
                "fusermount3 is not in PATH: recovery points cannot be mounted here. Everything else works.",
                "Install fuse3. Without it, browse with Get-OBRecoverableItem and recover with Start-OBRecovery, here or from another machine.");

    private HealthFinding CheckAccount() => parts.IsPrivileged
        ? HealthFinding.Pass(HealthCheck.Account, $"'{Environment.UserName}' may read the whole machine.")
        : HealthFinding.Warning(
            HealthCheck.Account,
            $"'{Environment.UserName}' is neither root nor administrator, and backs up only what this account may read.",
            "To protect the whole machine, register it and set the policy as root or administrator.");

    // .NET takes UTC where a zone is not known, and says nothing.
    private HealthFinding CheckZone() => parts.ZoneVariable is { Length: > 0 } name && !TimeZoneInfo.TryFindSystemTimeZoneById(name.TrimStart(':'), out _)
        && !Path.IsPathRooted(name.TrimStart(':'))
        ? HealthFinding.Warning(
            HealthCheck.TimeZone,
            $"The variable TZ names the time zone '{name}', which this machine does not know: schedules run by UTC.",
            "Install the time zones (tzdata), or set TZ to one that there is.")
        : HealthFinding.Pass(HealthCheck.TimeZone, $"The time zone is {clock.LocalTimeZone.Id}.");
}
