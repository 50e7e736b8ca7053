using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Writes a policy as a JSON file.</summary>
[Cmdlet(VerbsData.Export, "OBPolicy", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportOBPolicyCommand : OBCmdlet
{
    /// <summary>The policy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The file; one that exists is replaced.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string json = PolicyJson.Write(Policy.ToEngine());
        string file = FullPath(Path);
        if (!ShouldProcess(file, "Write policy"))
        {
            return;
        }

        try
        {
            File.WriteAllText(file, json);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"'{file}' cannot be written: {exception.Message}", "Name a file in an existing folder that you may write to.", file,
                innerException: exception);
        }

        WriteObject(new FileInfo(file));
    }
}
