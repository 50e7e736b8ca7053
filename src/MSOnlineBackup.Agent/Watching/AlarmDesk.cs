using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Watching;

/// <summary>
/// Tells people what a watch has found. What each place was told is kept in the state folder, so that nothing is told twice, whatever is restarted. A place that takes nothing keeps no
/// other from being told; the others are told of it, and it is tried again.
/// </summary>
public sealed class AlarmDesk
{
    private readonly StateFolder _folder;
    private readonly TimeProvider _clock;
    private readonly AlarmSettingsStore _store;
    private readonly Dictionary<(string Name, string? Url, bool Logs), IAlarmSink> _checks = [];

    internal AlarmDesk(StateFolder folder, TimeProvider clock)
    {
        _folder = folder;
        _clock = clock;
        _store = new AlarmSettingsStore(folder);
    }

    /// <summary>Where alarms go; null where nobody said.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied, AlarmSettingsInvalid.</exception>
    public AlarmSettings? Settings => _store.Read();

    /// <summary>Says where alarms go; null for nowhere. Passwords and addresses are sealed by the machine's secret.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Set(AlarmSettings? settings) => _store.Write(settings);

    /// <summary>Adds a place, or puts it in the stead of the one of its name.</summary>
    /// <returns>All there is now.</returns>
    /// <exception cref="BackupException">AlarmSettingsInvalid: it lacks something; StateInvalid, StateAccessDenied.</exception>
    public AlarmSettings Put(SinkSettings sink) => Change(settings => settings.With(sink));

    /// <summary>Says how often alarms are told; null leaves that as it is.</summary>
    /// <param name="repeatHours">After how many hours what is still wrong is told again; 0 for never.</param>
    /// <param name="heartbeatHours">After how many hours the watcher says that it lives; 0 for never.</param>
    /// <returns>All there is now.</returns>
    /// <exception cref="BackupException">AlarmSettingsInvalid: more than a year; StateInvalid, StateAccessDenied.</exception>
    public AlarmSettings SetTimes(int? repeatHours, int? heartbeatHours) => Change(settings => settings with
    {
        RepeatHours = repeatHours ?? settings.RepeatHours,
        HeartbeatHours = heartbeatHours ?? settings.HeartbeatHours,
    });

    /// <summary>Forgets a place.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: there is none of this name; StateInvalid, StateAccessDenied.</exception>
    public void Remove(string name) => Change(settings => settings.Sinks.Any(sink => AlarmSettings.IsNamed(sink, name)) ? settings.Without(name) : throw Unknown(name, settings));

    /// <summary>Sends a message to each place, or to one.</summary>
    /// <param name="name">The place; null for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What came of it, in the order of the settings.</returns>
    /// <exception cref="BackupException">AlarmSettingsInvalid: nobody said where alarms go; ArgumentInvalid: there is none of this name; StateInvalid, …</exception>
    public async Task<IReadOnlyList<SinkTrial>> TryAsync(string? name, CancellationToken cancellationToken)
    {
        if (Settings is not { Sinks.Count: > 0 } settings)
        {
            throw new BackupException(
                BackupErrorId.AlarmSettingsInvalid,
                "Nobody has said where alarms go.",
                "Say it with Set-OBAlarmSink, or write a file as docs/operations.md has it, and run 'obengine alarm set FILE'.");
        }

        List<SinkSettings> chosen = [.. settings.Sinks.Where(sink => name is null || AlarmSettings.IsNamed(sink, name))];
        if (chosen.Count == 0)
        {
            throw Unknown(name!, settings);
        }

        var message = new AlarmMessage(AlarmKind.Test, "-", "A test of backup alarms", "This is a test: alarms of backups arrive here.", "", _clock.GetUtcNow());
        var trials = new List<SinkTrial>();
        foreach (SinkSettings sink in chosen)
        {
            IAlarmSink open = Open(sink);
            trials.Add(new SinkTrial(sink, await FailsAsync(() => open.SendAsync([message], cancellationToken)).ConfigureAwait(false)));
        }

        return trials;
    }

    /// <summary>Tells each place what it does not know yet. Nothing where nobody said where alarms go.</summary>
    /// <param name="vault">The vault's folder or URL.</param>
    /// <param name="found">What a look has found; null where it failed.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="cancellationToken">Stops it: who was told stays told.</param>
    /// <returns>Those that did not take it.</returns>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied, AlarmSettingsInvalid.</exception>
    public async Task<IReadOnlyList<BackupException>> TellAsync(string vault, VaultCompliance? found, BackupException? failure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        if (Settings is not { } settings)
        {
            return [];
        }

        DateTimeOffset now = _clock.GetUtcNow();
        StateFile<WatchMemory> file = FileOf(_folder, vault);
        WatchMemory memory = Read(file);
        List<WatchedItem> items = [WatchedItem.Of("vault", $"the vault '{vault}'", failure), .. (found?.Policies ?? []).Select(WatchedItem.Of)];
        bool isWell = items.TrueForAll(item => item.Code is null);
        var failures = new List<BackupException>();
        foreach (SinkSettings sink in settings.Sinks.Where(sink => !sink.Runs))
        {
            // Of a place that takes nothing those after it hear at once, and those before it with the next look.
            IEnumerable<WatchedItem> others = settings.Sinks.Where(other => other.Name != sink.Name)
                .Select(other => new WatchedItem(
                    $"sink:{other.Name}",
                    $"'{other.Name}', where alarms go",
                    memory.Failing.TryGetValue(other.Name, out string? why) ? nameof(BackupErrorId.AlarmNotDelivered) : null,
                    why ?? "",
                    why is null ? "" : "'obengine alarm test' tries it.")
                {
                    Id = BackupErrorId.AlarmNotDelivered,
                });
            ToldSink told = memory.Sinks.GetValueOrDefault(sink.Name, ToldSink.Nothing);
            (IReadOnlyList<AlarmMessage> messages, ToldSink next) = AlarmDecision.Of(told, [.. items, .. others], found is not null, vault, now, settings, sink.Successes);
            IAlarmSink open = Open(sink);
            BackupException? untold = await FailsAsync(async () =>
            {
                if (messages.Count > 0)
                {
                    await open.SendAsync(messages, cancellationToken).ConfigureAwait(false);
                }

                await open.LiveAsync(isWell, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
            if (untold is not null)
            {
                failures.Add(untold);
            }

            // At once: who was told is not told again, whatever becomes of the next.
            memory = file.Update(_ => memory.With(sink.Name, untold is null ? next : told, untold));
        }

        return failures;
    }

    private static BackupException Unknown(string name, AlarmSettings settings) => new(
        BackupErrorId.ArgumentInvalid,
        $"No place where alarms go is called '{name}'.",
        settings.Sinks.Count == 0 ? "None is set: Set-OBAlarmSink sets one." : $"Name one of these: {string.Join(", ", settings.Sinks.Select(sink => sink.Name))}.",
        name);

    private AlarmSettings Change(Func<AlarmSettings, AlarmSettings> change) => _store.Change(old =>
    {
        AlarmSettings changed = change(old ?? new AlarmSettings { Sinks = [] });
        return changed.Fault is { } fault
            ? throw new BackupException(BackupErrorId.AlarmSettingsInvalid, $"This does not say where alarms go: {fault}.", "Correct it, and try again. Nothing was changed.")
            : changed;
    });

    private static async Task<BackupException?> FailsAsync(Func<Task> send)
    {
        try
        {
            await send().ConfigureAwait(false);
            return null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.AlarmNotDelivered)
        {
            return e;
        }
    }

    private static WatchMemory Read(StateFile<WatchMemory> file)
    {
        try
        {
            return file.Read() ?? new WatchMemory();
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            // Rather told twice than not at all. It is written anew with the first place.
            return new WatchMemory();
        }
    }

    // Another vault is another watch.
    internal static StateFile<WatchMemory> FileOf(StateFolder folder, string vault) => new(folder, $"watch-{ShortDigest.Of(vault)}.json", WatchJson.Default.WatchMemory, "delete it: what is wrong is told again then");

    // A check counts its pings, and so is kept.
    private IAlarmSink Open(SinkSettings settings)
    {
        if (settings.Kind != SinkKind.Healthchecks)
        {
            return AlarmSinks.Open(settings, _clock);
        }

        (string, string?, bool) key = (settings.Name, settings.Url, settings.Logs);
        if (!_checks.TryGetValue(key, out IAlarmSink? check))
        {
            _checks.Add(key, check = AlarmSinks.Open(settings, _clock));
        }

        return check;
    }
}

/// <summary>What came of a message to a place where alarms go.</summary>
/// <param name="Sink">The place.</param>
/// <param name="Failure">Why it did not take it; null where it did.</param>
public sealed record SinkTrial(SinkSettings Sink, BackupException? Failure);

/// <summary>What a watch remembers of a vault.</summary>
internal sealed record WatchMemory
{
    /// <summary>What each place was told.</summary>
    public IReadOnlyDictionary<string, ToldSink> Sinks { get; init; } = new Dictionary<string, ToldSink>();

    /// <summary>Which took nothing the last time, and why.</summary>
    public IReadOnlyDictionary<string, string> Failing { get; init; } = new Dictionary<string, string>();

    /// <summary>The same, with what came of one place.</summary>
    public WatchMemory With(string name, ToldSink told, BackupException? untold)
    {
        var failing = new Dictionary<string, string>(Failing);
        failing.Remove(name);
        if (untold is not null)
        {
            failing[name] = untold.Message;
        }

        return new WatchMemory { Sinks = new Dictionary<string, ToldSink>(Sinks) { [name] = told }, Failing = failing };
    }
}

/// <summary>The serialiser, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(WatchMemory))]
internal sealed partial class WatchJson : JsonSerializerContext;
