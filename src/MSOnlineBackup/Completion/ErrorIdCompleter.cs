using System.Collections;
using MSOnlineBackup.Errors;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the ids of errors.</summary>
public sealed class ErrorIdCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => ErrorHelp.All().Select(error => (error.Id, error.Meaning));
}
