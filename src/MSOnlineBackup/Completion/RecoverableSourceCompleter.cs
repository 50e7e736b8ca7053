using System.Collections;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the sources that have recovery points of this machine.</summary>
public sealed class RecoverableSourceCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => ArchiveQuery.Run(
        item: null,
        async (archive, stop) => (await archive.ListAsync(stop).ConfigureAwait(false))
            .SelectMany(point => point.SourceNames())
            .Distinct()
            .Order(StringComparer.Ordinal)
            .Select(name => (name, "Source with recovery points"))
            .ToList());
}
