using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns the schedule of a policy; nothing where it has none.</summary>
[Cmdlet(VerbsCommon.Get, "OBSchedule")]
[OutputType(typeof(OBSchedule))]
public sealed class GetOBScheduleCommand : OBCmdlet
{
    /// <summary>The policy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (Policy.BackupSchedule is { } schedule)
        {
            WriteObject(schedule);
        }
    }
}
