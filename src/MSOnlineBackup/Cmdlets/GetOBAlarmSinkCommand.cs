using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the places where alarms go, without what is secret.</summary>
[Cmdlet(VerbsCommon.Get, "OBAlarmSink")]
[OutputType(typeof(OBAlarmSink))]
public sealed class GetOBAlarmSinkCommand : OBCmdlet
{
    /// <summary>A name, or a pattern for names.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AlarmSinkCompleter))]
    [SupportsWildcards]
    public string Name { get; set; } = "*";

    /// <inheritdoc/>
    protected override void Process()
    {
        if (Agent.Alarms.Settings is not { } settings)
        {
            return;
        }

        var pattern = new WildcardPattern(Name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        WriteObject(settings.Sinks.Where(sink => pattern.IsMatch(sink.Name)).Select(sink => sink.ToOutput(settings)), enumerateCollection: true);
    }
}
