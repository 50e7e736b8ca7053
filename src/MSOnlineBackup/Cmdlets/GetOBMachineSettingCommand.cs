using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows the settings of this machine; no secret among them.</summary>
[Cmdlet(VerbsCommon.Get, "OBMachineSetting")]
[OutputType(typeof(OBMachineSetting))]
public sealed class GetOBMachineSettingCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process() => WriteObject(Agent.Machine.Settings.ToOutput(Agent.Machine.ToKeyStatus()));
}
