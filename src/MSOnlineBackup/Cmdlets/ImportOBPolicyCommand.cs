using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Reads a policy from a JSON file, as a draft.</summary>
[Cmdlet(VerbsData.Import, "OBPolicy")]
[OutputType(typeof(OBPolicy))]
public sealed class ImportOBPolicyCommand : OBCmdlet
{
    /// <summary>The file.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string file = FullPath(Path);
        string json;
        try
        {
            json = File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.PolicyFileInvalid, $"'{file}' cannot be read: {exception.Message}", "Name a file that Export-OBPolicy wrote.", file,
                innerException: exception);
        }

        // A draft, wherever it came from: this machine gives it an id of its own.
        WriteObject((PolicyJson.Read(json, file) with { Id = null }).ToDraft());
    }
}
