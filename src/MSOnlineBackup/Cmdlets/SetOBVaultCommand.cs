using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Changes what a vault's owner decides for all of its machines.</summary>
[Cmdlet(VerbsCommon.Set, "OBVault", SupportsShouldProcess = true)]
[OutputType(typeof(OBVault))]
public sealed class SetOBVaultCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>How many machines may be registered with it: 1 to 10,000.</summary>
    [Parameter(Mandatory = true)]
    public int MachineLimit { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, string.Create(CultureInfo.InvariantCulture, $"Set the machine limit to {MachineLimit}")))
        {
            WriteObject(Run(async (_, stop) =>
            {
                await Agent.ChangeVaultSettingsAsync(location, settings => settings with { MachineLimit = MachineLimit }, stop).ConfigureAwait(false);
                return await Agent.InspectVaultAsync(location, stop).ConfigureAwait(false);
            }).ToOutput());
        }
    }
}
