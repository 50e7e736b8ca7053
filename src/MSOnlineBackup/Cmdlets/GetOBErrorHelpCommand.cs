using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Errors;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Explains an error: what it means, its causes, and what to do.</summary>
[Cmdlet(VerbsCommon.Get, "OBErrorHelp")]
[OutputType(typeof(OBErrorHelp))]
public sealed class GetOBErrorHelpCommand : OBCmdlet
{
    /// <summary>
    /// The name of an error, the number or name that the original gives it, or a code of Blob Storage, with wildcards; or words of its message. The last
    /// error of the session where it is not given.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ErrorIdCompleter))]
    public string? Id { get; set; }

    /// <summary>Lists every error.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        OBErrorHelp[] errors = ErrorHelp.All();
        if (All)
        {
            WriteObject(errors, enumerateCollection: true);
            return;
        }

        string id = Id ?? LastError();
        WildcardPattern[] patterns = [.. ErrorHelp.Spellings(id).Select(PatternOf)];
        WildcardPattern? words = id.Contains(' ', StringComparison.Ordinal) ? PatternOf($"*{id.Trim('*')}*") : null;
        OBErrorHelp[] found =
        [
            .. errors.Where(error => patterns.Any(pattern => pattern.IsMatch(error.Id) || error.ErrorCode.Any(pattern.IsMatch)) || words?.IsMatch(
                error.Meaning) == true),
        ];
        if (found.Length == 0)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"There is no error '{id}'.", "Get-OBErrorHelp -All lists every error.", id);
        }

        WriteObject(found, enumerateCollection: true);
    }

    private static WildcardPattern PatternOf(string text) => new(text, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);

    private string LastError() =>
        (SessionState.PSVariable.GetValue("global:Error") as System.Collections.IEnumerable)?
            .OfType<ErrorRecord>()
            .Select(record => (record.Exception as BackupException)?.Id.ToString())
            .FirstOrDefault(id => id is not null)
        ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid, "This session has had no error from this module.", "Name one: Get-OBErrorHelp -Id VaultNotFound.");
}
