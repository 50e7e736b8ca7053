using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Whether this machine is connected with its vault, in one word.</summary>
[Cmdlet(VerbsCommon.Get, "DPMCloudConnection")]
[OutputType(typeof(bool))]
public sealed class GetDPMCloudConnectionCommand : ConnectivityCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        if (Agent.Machine.Registration?.VaultLocation is not { } location)
        {
            WriteVerbose($"The machine '{Agent.Machine.Name}' is not registered with a vault.");
            WriteObject(false);
            return;
        }

        OBEndpointTest test = TestVault(location);
        if (test.Cause is { } cause)
        {
            WriteVerbose(cause);
        }

        WriteObject(test.Outcome != OBTestOutcome.Failed);
    }
}
