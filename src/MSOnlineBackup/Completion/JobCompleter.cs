using System.Collections;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the ids of jobs, the newest first.</summary>
public sealed class JobCompleter : ValueCompleter
{
    private const int Newest = 20;

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        Composition.OpenAgent(_ => { }).Jobs.List().Reverse().Take(Newest).Select(job => (job.Id.ToString(), job.ToOutput().ToString()));
}
