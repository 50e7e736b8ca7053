using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists what a network must let through for a vault in Azure.</summary>
[Cmdlet(VerbsCommon.Get, "OBRequiredEndpoint")]
[OutputType(typeof(OBRequiredEndpoint), typeof(string))]
public sealed class GetOBRequiredEndpointCommand : OBCmdlet
{
    /// <summary>The vault's URL; without it the vault that this machine is registered with, and where that is none in Azure, any there.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Vault { get; set; }

    /// <summary>In which form.</summary>
    [Parameter]
    public OBEndpointForm As { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string? location = Vault ?? (Agent.Machine.Registration?.VaultLocation is { } own && new VaultAddress(own).IsContainer ? own : null);
        IReadOnlyList<RequiredEndpoint> endpoints = location is null ? RequiredEndpoints.ForAzure : RequiredEndpoints.For(location);
        if (As == OBEndpointForm.NsgRule)
        {
            WriteObject(NetworkSecurityRules.ToJson(endpoints));
        }
        else
        {
            WriteObject(endpoints.Select(endpoint => endpoint.ToOutput()), enumerateCollection: true);
        }
    }
}
