using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Vaults;
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
    [Parameter]
    public int MachineLimit { get; set; }

    /// <summary>Lets machines reach it by a private address only, from their next registration on; with $false by any.</summary>
    [Parameter]
    public SwitchParameter RequirePrivateEndpoint { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, $"Set {string.Join(", ", Changes())}"))
        {
            WriteObject(Run(async (_, stop) =>
            {
                await Agent.ChangeVaultSettingsAsync(location, Change, stop).ConfigureAwait(false);
                return await Agent.InspectVaultAsync(location, stop).ConfigureAwait(false);
            }).ToOutput());
        }
    }

    private bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    private VaultSettings Change(VaultSettings settings) => settings with
    {
        MachineLimit = IsGiven(nameof(MachineLimit)) ? MachineLimit : settings.MachineLimit,
        RequiresPrivateEndpoint = IsGiven(nameof(RequirePrivateEndpoint)) ? RequirePrivateEndpoint : settings.RequiresPrivateEndpoint,
    };

    private List<string> Changes()
    {
        var changes = new List<string>();
        if (IsGiven(nameof(MachineLimit)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the machine limit to {MachineLimit}"));
        }

        if (IsGiven(nameof(RequirePrivateEndpoint)))
        {
            changes.Add(RequirePrivateEndpoint ? "private endpoints to required" : "private endpoints to not required");
        }

        return changes.Count > 0 ? changes : throw new BackupException(
            BackupErrorId.ArgumentInvalid, "Nothing was given that is to be set.", "Give -MachineLimit or -RequirePrivateEndpoint.");
    }
}
