using System.Management.Automation;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Sends a message to each place where alarms go, and says which took it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBAlarmSink")]
[OutputType(typeof(OBAlarmSinkTest))]
public sealed class TestOBAlarmSinkCommand : OBEngineCmdlet
{
    /// <summary>A place; also from Get-OBAlarmSink. Without it all.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AlarmSinkCompleter))]
    public string? Name { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        IReadOnlyList<SinkTrial> trials = Run((_, stop) => Agent.Alarms.TryAsync(Name, stop));
        WriteObject(trials.Select(trial => trial.ToOutput()), enumerateCollection: true);
    }
}
