using System.Collections;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the ids of this machine's deleted recovery points, the newest first.</summary>
public sealed class DeletedPointCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => ArchiveQuery.Run(
        item: null,
        async (archive, stop) => (await archive.Deletions.ListAsync(archive.MachineName, stop).ConfigureAwait(false))
            .Select(point => (point.SessionId.ToString(), point.ToOutput(archive.MachineName).ToString()))
            .ToList());
}
