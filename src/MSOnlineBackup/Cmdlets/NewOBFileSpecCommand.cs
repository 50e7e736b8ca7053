using System.Management.Automation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes specifications of what a policy takes or leaves out.</summary>
[Cmdlet(VerbsCommon.New, "OBFileSpec")]
[OutputType(typeof(OBFileSpec))]
public sealed class NewOBFileSpecCommand : OBCmdlet
{
    /// <summary>Folders and files; where they are left out, also patterns: <c>*.tmp</c>, <c>/home/*/cache</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    public string[] FileSpec { get; set; } = [];

    /// <summary>Only what lies directly in the folder.</summary>
    [Parameter(Position = 1)]
    public SwitchParameter NonRecursive { get; set; }

    /// <summary>Leaves out rather than takes.</summary>
    [Parameter(Position = 2)]
    public SwitchParameter Exclude { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string spec in FileSpec)
        {
            WriteObject(new OBFileSpec(Exclude ? Excluded(spec) : Included(spec), Exclude, !NonRecursive));
        }
    }

    // Names of files may hold the characters of wildcards; what is there is meant as it is written.
    private string Included(string spec)
    {
        string path = Path.TrimEndingDirectorySeparator(FullPath(spec));
        return Path.Exists(path) || !WildcardPattern.ContainsWildcardCharacters(spec)
            ? path
            : throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{spec}' is a pattern, but a policy includes folders and files by path.",
                "Include the folder above it, and leave out the rest with New-OBFileSpec -Exclude. Or name the files that Get-Item finds.",
                spec);
    }

    // Without a separator it is a name at any depth; a trailing one says that only folders are meant. A path of Windows is never a name.
    private string Excluded(string spec) =>
        spec is "." or ".." or "~" || Path.IsPathRooted(spec) || IsOfWindows(spec) || spec.AsSpan().TrimEnd("/\\").ContainsAny('/', Path.DirectorySeparatorChar)
        ? FullPath(spec)
        : spec;
}
