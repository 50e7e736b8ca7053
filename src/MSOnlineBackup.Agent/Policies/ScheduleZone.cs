using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>In whose wall time a schedule is meant.</summary>
internal static class ScheduleZone
{
    /// <summary>The zone of a schedule.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="local">The machine's zone, for a schedule that names none.</param>
    /// <exception cref="BackupException">PolicyInvalid: this system knows no zone of that name.</exception>
    public static TimeZoneInfo Of(BackupSchedule schedule, TimeZoneInfo local)
    {
        if (schedule.UtcOffsetMinutes is { } minutes)
        {
            string name = FormattableString.Invariant($"UTC{minutes:+0;-0} min");
            return TimeZoneInfo.CreateCustomTimeZone(name, TimeSpan.FromMinutes(minutes), name, name);
        }

        if (schedule.TimeZone is not { } zone)
        {
            return local;
        }

        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(zone);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The schedule is for the time zone '{zone}', which this system does not know.",
                "Name a zone as IANA has it, such as 'Europe/Amsterdam', or install the system's time zone data (package 'tzdata').",
                zone,
                innerException: e);
        }
    }
}
