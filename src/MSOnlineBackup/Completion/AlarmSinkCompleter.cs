using System.Collections;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the names of the places where alarms go.</summary>
public sealed class AlarmSinkCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        (ModuleEnvironment.OpenAgent(_ => { }).Alarms.Settings?.Sinks ?? []).Select(sink => (sink.Name, $"{sink.Kind} {sink.Describe()}".TrimEnd()));
}
