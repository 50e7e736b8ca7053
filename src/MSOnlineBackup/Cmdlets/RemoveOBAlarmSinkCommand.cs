using System.Management.Automation;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Forgets a place where alarms go.</summary>
[Cmdlet(VerbsCommon.Remove, "OBAlarmSink", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class RemoveOBAlarmSinkCommand : OBCmdlet
{
    /// <summary>Its name; also from Get-OBAlarmSink.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AlarmSinkCompleter))]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Name, "Send alarms there no more"))
        {
            Agent.Alarms.Remove(Name);
        }
    }
}
