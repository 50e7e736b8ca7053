using System.Globalization;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Watching;

/// <summary>Something that is watched, and how it stands.</summary>
/// <param name="Key">What it is: the same in every look.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Code">How it stands; null where all is well.</param>
/// <param name="Text">That in whole sentences.</param>
/// <param name="Advice">What to do.</param>
internal sealed record WatchedItem(string Key, string Name, string? Code, string Text, string Advice)
{
    /// <summary>What of the vault it is; null for the vault itself, or a place where alarms go.</summary>
    public PolicyCompliance? Policy { get; init; }

    /// <summary>The error id that explains it.</summary>
    public BackupErrorId? Id { get; init; }

    /// <summary>A machine and policy.</summary>
    public static WatchedItem Of(PolicyCompliance policy) => new(
        $"machine:{policy.Machine.ToLowerInvariant()}|{policy.Policy}",
        policy.Policy is null ? policy.Machine : $"{policy.Machine} ({policy.Policy})",
        policy.IsAlarming ? policy.State.ToString() : null,
        policy.Message,
        policy.RecommendedAction)
    {
        Policy = policy,
        Id = policy.Id,
    };

    /// <summary>Something that failed.</summary>
    public static WatchedItem Of(string key, string name, BackupException? failure) =>
        new(key, name, failure?.Id.ToString(), failure?.Message ?? "", failure?.RecommendedAction ?? "") { Id = failure?.Id };
}

/// <summary>What a place was told of something last.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Code">How it stood.</param>
/// <param name="At">When that was told.</param>
internal sealed record ToldAlarm(string Name, string Code, DateTimeOffset At);

/// <summary>What a place where alarms go has been told; immutable.</summary>
/// <param name="Alarms">What is wrong, as far as it knows.</param>
/// <param name="Reported">The last backup of each machine and policy that it was told of.</param>
/// <param name="Alive">When it was last told that the watcher lives; null for never.</param>
internal sealed record ToldSink(
    IReadOnlyDictionary<string, ToldAlarm> Alarms, IReadOnlyDictionary<string, DateTimeOffset> Reported, DateTimeOffset? Alive)
{
    /// <summary>One that knows nothing.</summary>
    public static ToldSink Nothing { get; } = new(new Dictionary<string, ToldAlarm>(), new Dictionary<string, DateTimeOffset>(), null);
}

/// <summary>
/// What a place is told after a look, as a pure function of what it was told before: each alarm once, again where it has changed or is of long standing, that all is well again once, and
/// that the watcher lives.
/// </summary>
internal static class AlarmDecision
{
    /// <summary>Decides.</summary>
    /// <param name="told">What the place was told.</param>
    /// <param name="items">What is watched.</param>
    /// <param name="isWhole">Whether these are all; else of what is not among them nothing is known.</param>
    /// <param name="vault">The vault's folder or URL.</param>
    /// <param name="now">The time now.</param>
    /// <param name="settings">How often.</param>
    /// <param name="reports">Whether it is told of backups that came, too.</param>
    /// <returns>The messages, and what it has been told once they were delivered.</returns>
    public static (IReadOnlyList<AlarmMessage> Messages, ToldSink Next) Of(
        ToldSink told, IReadOnlyList<WatchedItem> items, bool isWhole, string vault, DateTimeOffset now, AlarmSettings settings, bool reports)
    {
        var messages = new List<AlarmMessage>();
        var alarms = new Dictionary<string, ToldAlarm>(told.Alarms);
        var reported = new Dictionary<string, DateTimeOffset>(told.Reported);
        foreach (WatchedItem item in items)
        {
            ToldAlarm? before = told.Alarms.GetValueOrDefault(item.Key);
            if (item.Code is { } code)
            {
                if (before?.Code != code || IsOver(before.At, settings.Repeat, now))
                {
                    messages.Add(About(item, AlarmKind.Raised, before?.Code == code ? $"Still {code}: {item.Name}" : $"{code}: {item.Name}", item.Text, item.Advice));
                    alarms[item.Key] = new ToldAlarm(item.Name, code, now);
                }
            }
            else if (before is not null)
            {
                messages.Add(About(item, AlarmKind.Resolved, $"OK: {item.Name}", $"{item.Name} is well again; it was {before.Code}. {item.Text}".TrimEnd(), ""));
                alarms.Remove(item.Key);
            }

            if (item.Policy?.LastSuccess is { } success)
            {
                bool isNews = !reported.TryGetValue(item.Key, out DateTimeOffset last) || success > last;
                if (isNews && reports)
                {
                    messages.Add(About(item, AlarmKind.Report, $"Backed up: {item.Name}", $"The last backup of {item.Name} came {success.UtcDateTime:u}.", ""));
                }

                reported[item.Key] = success;
            }
        }

        HashSet<string> seen = [.. items.Select(item => item.Key)];
        foreach ((string key, ToldAlarm gone) in isWhole ? told.Alarms.Where(known => !seen.Contains(known.Key)) : [])
        {
            messages.Add(new AlarmMessage(AlarmKind.Resolved, vault, $"No longer watched: {gone.Name}", $"{gone.Name} is not watched any more; it was {gone.Code}.", "", now));
            alarms.Remove(key);
        }

        DateTimeOffset? alive = told.Alive;
        if (alive is null ? settings.Heartbeat > TimeSpan.Zero : IsOver(alive.Value, settings.Heartbeat, now))
        {
            int wrong = items.Count(item => item.Code is not null);
            messages.Add(new AlarmMessage(
                AlarmKind.Heartbeat,
                vault,
                "The backup watcher lives",
                string.Create(CultureInfo.InvariantCulture, $"The watcher of '{vault}' lives. It watches {items.Count(item => item.Policy is not null)} policies of machines; {wrong} {(wrong == 1 ? "alarm is" : "alarms are")} in force."),
                "",
                now));
            alive = now;
        }

        return (messages, new ToldSink(alarms, reported, alive));

        AlarmMessage About(WatchedItem item, AlarmKind kind, string subject, string text, string advice) => new(kind, vault, subject, text, advice, now)
        {
            Machine = item.Policy?.Machine,
            Policy = item.Policy?.Policy,
            State = item.Policy?.State,
            Id = kind == AlarmKind.Raised ? item.Id : null,
        };
    }

    private static bool IsOver(DateTimeOffset since, TimeSpan time, DateTimeOffset now) => time > TimeSpan.Zero && now - since >= time;
}
