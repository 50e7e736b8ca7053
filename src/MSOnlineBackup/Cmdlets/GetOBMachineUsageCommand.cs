using System.Management.Automation;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows how much of the vault this machine takes.</summary>
[Cmdlet(VerbsCommon.Get, "OBMachineUsage")]
[OutputType(typeof(OBMachineUsage))]
public sealed class GetOBMachineUsageCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        long bytes = Run(async (_, stop) =>
        {
            using UnlockedVault vault = await Agent.OpenEngineAsync(stop).ConfigureAwait(false);
            return await vault.MeasureStoreAsync(stop).ConfigureAwait(false);
        });
        WriteObject(new OBMachineUsage { StorageUsedByMachineInBytes = bytes, Time = TimeProvider.System.GetUtcNow().UtcDateTime });
    }
}
