using System.Collections;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the recovery points of this machine by their times, the newest first.</summary>
public sealed class RecoveryPointCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => Points();

    /// <summary>The points of this machine by their times, the newest first, each with what it holds.</summary>
    internal static IReadOnlyList<(string Text, string Tip)> Points() => ArchiveQuery.Run(
        item: null,
        async (archive, stop) => (await archive.ListAsync(stop).ConfigureAwait(false))
            .Select(point => (RecoveryArchive.TimeOf(point), string.Join(", ", point.SourceNames())))
            .ToList());
}
