using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Gives a draft a schedule.</summary>
[Cmdlet(VerbsCommon.Set, "OBSchedule", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBPolicy))]
public sealed class SetOBScheduleCommand : OBCmdlet
{
    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The schedule, from New-OBSchedule.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OBSchedule Schedule { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Policy.ToString(), "Set schedule"))
        {
            Policy.BackupSchedule = Schedule;
        }

        WriteObject(Policy);
    }
}
