using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows how much of the vault this machine takes.</summary>
[Cmdlet(VerbsCommon.Get, "OBMachineUsage")]
[OutputType(typeof(OBMachineUsage))]
public sealed class GetOBMachineUsageCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        long bytes = Run(async (_, stop) => await (await Agent.OpenEngineAsync(stop).ConfigureAwait(false)).MeasureStoreAsync(stop).ConfigureAwait(false));
        WriteObject(new OBMachineUsage { StorageUsedByMachineInBytes = bytes, Time = TimeProvider.System.GetUtcNow().UtcDateTime });
    }
}
