using System.Collections;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the values of an enum where PowerShell does not: in lists of it.</summary>
/// <typeparam name="T">The enum.</typeparam>
public sealed class EnumCompleter<T> : ValueCompleter
    where T : struct, Enum
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => Enum.GetNames<T>().Select(name => (name, name));
}
