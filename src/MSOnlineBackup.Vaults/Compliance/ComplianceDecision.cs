using System.Globalization;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Statuses;

namespace MSOnlineBackup.Vaults.Compliance;

/// <summary>A status and when the store had it.</summary>
internal readonly record struct KnownStatus(RunStatus Status, DateTimeOffset Created, bool IsProved);

/// <summary>What is known of a machine and policy.</summary>
/// <param name="Machine">What the machine is called.</param>
/// <param name="Policy">The policy; null where no status can be read.</param>
/// <param name="Statuses">What its statuses say, the newest first, at least up to the last that tells of a success.</param>
/// <param name="Registered">When the vault heard of the machine first.</param>
internal sealed record MachineFacts(string Machine, string? Policy, IReadOnlyList<KnownStatus> Statuses, DateTimeOffset Registered)
{
    /// <summary>When the machine's newest recovery point was created, by whatever policy; null where it has none.</summary>
    public DateTimeOffset? NewestPoint { get; init; }

    /// <summary>Whether there is, or was until its time was over, a recovery point.</summary>
    public Func<SessionId, bool> HasPoint { get; init; } = _ => true;

    /// <summary>Whether these are backups by no policy, of a machine that has one: of no interest for long.</summary>
    public bool IsBeside { get; init; }

    /// <summary>How many statuses are sealed by a key that is not at hand.</summary>
    public int Sealed { get; init; }

    /// <summary>How many statuses above the newest that can be read are damaged, or not written by who may.</summary>
    public int Invalid { get; init; }
}

/// <summary>How the backups of a machine stand, as a pure function. Only the store's times count: no clock of a machine can make it look younger than it is.</summary>
internal static class ComplianceDecision
{
    /// <summary>How old the newest backup may be where nothing says when the next is expected.</summary>
    public static readonly TimeSpan UsualMaxAge = TimeSpan.FromDays(2);

    private const int LeastHistory = 3;
    private const int MostHistory = 7;
    private const long LeastFiles = 10;
    private const long LeastBytes = 1 << 20;

    /// <summary>Decides.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="now">The time now.</param>
    /// <param name="maxAge">How old the newest backup may be, whatever its machine expects; null for what its machine expects.</param>
    /// <returns>Null where there is no policy any more.</returns>
    public static PolicyCompliance? Of(MachineFacts facts, DateTimeOffset now, TimeSpan? maxAge)
    {
        if (facts.Statuses is not [var newest, ..])
        {
            return ByPoints(facts, now, maxAge ?? UsualMaxAge);
        }

        KnownStatus[] runs = [.. facts.Statuses.Where(known => known.Status.IsRun && known.Status.Outcome != RunOutcome.Skipped)];
        KnownStatus? success = facts.Statuses.Where(known => known.Status.IsSuccess).Select(known => (KnownStatus?)known).FirstOrDefault();
        PolicyCompliance found = new(facts.Machine, facts.Policy, ComplianceState.Ok, "", "")
        {
            LastSuccess = success?.Created,
            LastRun = runs is [var last, ..] ? last.Created : null,
            Outcome = newest.Status.Outcome,
            Job = newest.Status.Job,
            Errors = newest.Status.Errors,
            Files = success?.Status.Files ?? 0,
            Bytes = success?.Status.Bytes ?? 0,
            IsProved = newest.IsProved,
        };
        if (newest.Status.Outcome == RunOutcome.Ended || (facts.IsBeside && now - newest.Created > UsualMaxAge))
        {
            return null;
        }

        if (newest.Status.Outcome == RunOutcome.Paused || newest.Status.IsPaused)
        {
            return found with
            {
                State = ComplianceState.Stopped,
                Message = $"{NameOf(facts)} is paused, as it said {newest.Created.UtcDateTime:u}: nothing is backed up by its schedule.",
                RecommendedAction = "Resume the policy with Set-OBPolicyState -State Valid, if it was not meant to be paused.",
            };
        }

        DateTimeOffset due = DueOf(facts.Statuses, maxAge);
        found = found with { Due = due };
        string lastly = Lastly(newest.Status);
        if (now > due)
        {
            return success is { } had
                ? found with
                {
                    State = ComplianceState.Late,
                    Message = $"{NameOf(facts)} is late: the last backup came {had.Created.UtcDateTime:u}, and another one was expected by {due.UtcDateTime:u}.{lastly}",
                    RecommendedAction = "See whether the machine runs and reaches the vault; Test-OBSchedule and Get-OBJob -Previous on it tell more.",
                }
                : found with
                {
                    State = ComplianceState.Never,
                    Message = $"{NameOf(facts)} was never backed up: the first backup was expected by {due.UtcDateTime:u}.{lastly}",
                    RecommendedAction = "See whether the machine runs and reaches the vault; Test-OBSchedule and Get-OBJob -Previous on it tell more.",
                };
        }

        if (runs.Where(run => run.Status.Outcome != RunOutcome.Aborted).Select(run => (KnownStatus?)run).FirstOrDefault() is { Status.Outcome: RunOutcome.Failed } failed)
        {
            return found with
            {
                State = ComplianceState.Failing,
                Errors = failed.Status.Errors,
                Message = $"The last backup of {NameOf(facts)} failed at {failed.Created.UtcDateTime:u}{Named(failed.Status.Errors)}; the last that succeeded came {(success is { } one ? $"{one.Created.UtcDateTime:u}" : "never")}.",
                RecommendedAction = "Get-OBJob -Previous on the machine has the cause; Get-OBErrorHelp explains an error id.",
            };
        }

        if (success?.Status.Point is { } point && !facts.HasPoint(point))
        {
            return found with
            {
                State = ComplianceState.Failing,
                Message = $"The last backup of {NameOf(facts)} says that it made the recovery point {point.ToShortString()}, and the vault has none of this name.",
                RecommendedAction = "Find out who deleted it, or who wrote the status; run Test-OBRecoveryPoint, and back the machine up.",
            };
        }

        if (Shrinkage(facts) is { } shrunk)
        {
            return found with
            {
                State = ComplianceState.Shrinking,
                Message = $"The last backup of {NameOf(facts)} has {shrunk}: less than half.",
                RecommendedAction = "Look at the files of the machine, and at the sources and exclusions of its policy. Earlier recovery points are as they were.",
            };
        }

        return found with
        {
            Message = success is { } good
                ? $"{NameOf(facts)}: the last backup came {good.Created.UtcDateTime:u}; the next is expected by {due.UtcDateTime:u}.{(newest.Status.IsSuccess ? "" : lastly)}"
                : $"{NameOf(facts)}: the first backup is expected by {due.UtcDateTime:u}.",
        };
    }

    private static PolicyCompliance ByPoints(MachineFacts facts, DateTimeOffset now, TimeSpan maxAge)
    {
        DateTimeOffset due = (facts.NewestPoint ?? facts.Registered) + maxAge;
        string why = facts.Sealed > 0 ? " Its statuses are sealed: name the monitoring credential of its chunk store."
            : facts.Invalid > 0 ? " Its statuses are damaged, or not written by who may."
            : " It leaves no statuses.";
        var found = new PolicyCompliance(facts.Machine, null, ComplianceState.Ok, "", "") { LastSuccess = facts.NewestPoint, LastRun = facts.NewestPoint, Due = due };
        const string Look = "See whether the machine runs and reaches the vault; Test-OBSchedule and Get-OBJob -Previous on it tell more.";
        return (facts.NewestPoint, now > due) switch
        {
            (null, true) => found with { State = ComplianceState.Never, Message = $"'{facts.Machine}' was never backed up; the vault knows it since {facts.Registered.UtcDateTime:u}.{why}", RecommendedAction = Look },
            (null, _) => found with { Message = $"'{facts.Machine}' was not backed up yet; the vault knows it since {facts.Registered.UtcDateTime:u}.{why}" },
            ({ } point, true) => found with
            {
                State = ComplianceState.Late,
                Message = string.Create(CultureInfo.InvariantCulture, $"'{facts.Machine}' is late: its newest recovery point came {point.UtcDateTime:u}, more than {maxAge.TotalHours:0.#} hours ago.{why}"),
                RecommendedAction = Look,
            },
            ({ } point, _) => found with { Message = $"'{facts.Machine}': the newest recovery point came {point.UtcDateTime:u}.{why}" },
        };
    }

    // From a backup on, or from when the first was expected. Failures and skipped runs put nothing off, and a policy that is saved again does only as long as nothing is late.
    private static DateTimeOffset DueOf(IReadOnlyList<KnownStatus> statuses, TimeSpan? maxAge)
    {
        DateTimeOffset? due = null;
        foreach (KnownStatus known in statuses.Reverse())
        {
            due = known.Status switch
            {
                { IsSuccess: true } => DueAfter(known, maxAge),
                { Outcome: RunOutcome.Paused or RunOutcome.Ended } => null,
                { Outcome: RunOutcome.Expected } when due is null || known.Created <= due => DueAfter(known, maxAge),
                _ => due ?? DueAfter(known, maxAge),
            };
        }

        return due!.Value;
    }

    private static DateTimeOffset DueAfter(KnownStatus known, TimeSpan? maxAge)
    {
        DateTimeOffset expected = known.Status.NextSeconds is { } next
            ? known.Created.AddSeconds(next + known.Status.GraceSeconds)
            : known.Created + (maxAge ?? UsualMaxAge);
        DateTimeOffset latest = maxAge is { } most ? known.Created + most : DateTimeOffset.MaxValue;
        return expected < latest ? expected : latest;
    }

    private static string? Shrinkage(MachineFacts facts)
    {
        RunStatus[] made = [.. facts.Statuses.Where(known => known.Status.IsSuccess).Take(MostHistory + 1).Select(known => known.Status)];
        if (made.Length < LeastHistory + 1)
        {
            return null;
        }

        long files = Median(made.Skip(1).Select(status => status.Files));
        long bytes = Median(made.Skip(1).Select(status => status.Bytes));
        return files >= LeastFiles && made[0].Files < files / 2
            ? string.Create(CultureInfo.InvariantCulture, $"{made[0].Files:N0} files, and those before it had {files:N0}")
            : bytes >= LeastBytes && made[0].Bytes < bytes / 2
                ? string.Create(CultureInfo.InvariantCulture, $"{made[0].Bytes:N0} bytes, and those before it had {bytes:N0}")
                : null;
    }

    private static long Median(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string NameOf(MachineFacts facts) => $"'{facts.Machine}' ({facts.Policy})";

    private static string Named(IReadOnlyList<string> errors) => errors.Count == 0 ? "" : $" ({string.Join(", ", errors)})";

    private static string Lastly(RunStatus newest) => newest.Outcome switch
    {
        RunOutcome.Failed => $" Its last run failed{Named(newest.Errors)}.",
        RunOutcome.Aborted => " Somebody stopped its last run.",
        RunOutcome.Skipped => $" Its last run was skipped{Named(newest.Errors)}.",
        _ => "",
    };
}
