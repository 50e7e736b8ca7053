using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>Until when a schedule's moments are done with.</summary>
/// <param name="Schedule">A digest of the schedule: another one begins anew.</param>
/// <param name="Handled">That time.</param>
/// <param name="Owed">A moment that is to be made up for once backups are not stopped any more; null for none.</param>
internal sealed record ScheduleState(string Schedule, DateTimeOffset Handled, DateTimeOffset? Owed = null);

/// <summary>What is on record of the schedules of this machine.</summary>
/// <param name="folder">The machine's state.</param>
internal sealed class ScheduleLedger(StateFolder folder)
{
    // A clock that was put right by less is believed; by more, what it had written into the future would stop the schedule until then.
    private static readonly TimeSpan _clockPatience = TimeSpan.FromHours(2);

    /// <summary>Begins to count from now, unless this very schedule is counted already.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Begin(BackupPolicy policy, DateTimeOffset now)
    {
        ScheduleState? known = TryRead(policy.Kind);
        if (known?.Schedule != DigestOf(policy))
        {
            Write(policy, new ScheduleProgress(now));
        }
    }

    /// <summary>Counts no more: what begins again later begins anew.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void End(PolicyKind kind) => folder.Update(NameOf(kind), _ => null);

    /// <summary>Until when all is done with. Where nothing can be read of it, the last moment is taken not to be: rather one backup too many than none.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public ScheduleProgress Read(BackupPolicy policy, DateTimeOffset now, TimeZoneInfo local)
    {
        if (TryRead(policy.Kind) is { } known && known.Schedule == DigestOf(policy) && known.Handled <= now + _clockPatience)
        {
            return new ScheduleProgress(known.Handled, known.Owed);
        }

        return new ScheduleProgress(policy.Schedule is { } schedule && ScheduleMoments.Last(schedule, now, local) is { } last ? last.AddTicks(-1) : now);
    }

    /// <summary>Notes how far the moments are done with.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Write(BackupPolicy policy, ScheduleProgress progress)
    {
        // What cannot be read is in the way of no schedule.
        if (TryRead(policy.Kind) is null)
        {
            End(policy.Kind);
        }

        File(policy.Kind).Update(_ => new ScheduleState(DigestOf(policy), progress.Until.ToUniversalTime(), progress.Owed?.ToUniversalTime()));
    }

    private static string NameOf(PolicyKind kind) => $"schedule-{PolicyScope.Of(kind).Key}.json";

    private static string DigestOf(BackupPolicy policy) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(PolicyJson.Write(new BackupPolicy { Id = policy.Id, Schedule = policy.Schedule }))));

    private StateFile<ScheduleState> File(PolicyKind kind) => new(folder, NameOf(kind), ScheduleJson.Default.ScheduleState, "delete it: the schedule then goes on with its last time");

    private ScheduleState? TryRead(PolicyKind kind)
    {
        try
        {
            return File(kind).Read();
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            // It is written anew with the next run; that a backup is made matters more.
            return null;
        }
    }
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScheduleState))]
internal sealed partial class ScheduleJson : JsonSerializerContext;
