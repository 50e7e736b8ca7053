using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says where a recovery puts things, and how.</summary>
[Cmdlet(VerbsCommon.New, "OBRecoveryOption")]
[OutputType(typeof(OBRecoveryOption))]
public sealed class NewOBRecoveryOptionCommand : OBCmdlet
{
    /// <summary>The folder to recover into; where the items came from, if it is not given.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? DestinationPath { get; set; }

    /// <summary>What to do where an item exists.</summary>
    [Parameter(Position = 1)]
    [ValidateSet(nameof(MSOnlineBackup.OverwriteType.CreateCopy), nameof(MSOnlineBackup.OverwriteType.Skip), nameof(MSOnlineBackup.OverwriteType.Overwrite))]
    public string OverwriteType { get; set; } = nameof(MSOnlineBackup.OverwriteType.CreateCopy);

    /// <summary>Leaves owner, permissions and ACLs as new files have them.</summary>
    [Parameter(Position = 2)]
    public SwitchParameter SkipRestoreSecurity { get; set; }

    /// <summary>Recovers names that Windows does not have under names that it has, by a mapping that can be turned back.</summary>
    [Parameter]
    public SwitchParameter MapNames { get; set; }

    /// <inheritdoc/>
    protected override void Process() => WriteObject(new OBRecoveryOption
    {
        DestinationPath = DestinationPath is null ? null : FullPath(DestinationPath),
        OverwriteType = Enum.Parse<OverwriteType>(OverwriteType, ignoreCase: true),
        SkipRestoreSecurity = SkipRestoreSecurity,
        MapNames = MapNames,
    });
}
