using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Completion;

/// <summary>Completes an argument from a list of values. A list that cannot be had offers nothing: nobody wants errors while typing.</summary>
public abstract class ValueCompleter : IArgumentCompleter
{
    /// <summary>What is typed so far; only what begins with it is offered.</summary>
    protected string Word { get; private set; } = "";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        Word = (wordToComplete ?? "").Trim('\'', '"');
        try
        {
            return [.. Values(fakeBoundParameters)
                .Where(value => value.Text.StartsWith(Word, StringComparison.OrdinalIgnoreCase))
                .Select(value => new CompletionResult(Quoted(value.Text), value.Text, CompletionResultType.ParameterValue, value.Tip))];
        }
        catch (BackupException)
        {
            return [];
        }
    }

    /// <summary>What may be completed to, each with what is told about it.</summary>
    /// <param name="bound">What is on the command line already: parameters by name.</param>
    protected abstract IEnumerable<(string Text, string Tip)> Values(IDictionary bound);

    private static string Quoted(string text) => text.Length > 0 && text.All(c => char.IsLetterOrDigit(c) || c is '/' or '\\' or '.' or '_' or ':' or '-')
        ? text
        : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";
}
