using System.Runtime.CompilerServices;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Storage.Azure.Connectivity;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that see whether a vault can be reached.</summary>
public abstract class ConnectivityCmdlet : OBEngineCmdlet
{
    /// <summary>The way to a vault, and to what else it needs.</summary>
    private protected IReadOnlyList<OBEndpointTest> Test(VaultAddress vault, TimeSpan? limit = null) => vault.IsContainer
        ? Run((_, stop) => TestAllAsync(vault, limit, stop))
        : [Run((_, stop) => TestFolderAsync(vault, stop))];

    /// <summary>The way to a vault alone.</summary>
    private protected OBEndpointTest TestVault(VaultAddress vault) =>
        Run((_, stop) => vault.IsContainer ? TestContainerAsync(vault, stop) : TestFolderAsync(vault, stop));

    // What a folder needs loads nothing of Azure.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<IReadOnlyList<OBEndpointTest>> TestAllAsync(VaultAddress vault, TimeSpan? limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<EndpointReport> reports = await ConnectivityTest.RunAsync(
            vault.Location, Agent.Machine.Connect(vault, VaultPatience.Person), stop => Agent.Vaults.CheckAsync(vault, stop), cancellationToken, limit).ConfigureAwait(false);
        return [.. reports.Select(report => report.ToOutput())];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<OBEndpointTest> TestContainerAsync(VaultAddress vault, CancellationToken cancellationToken) =>
        (await ConnectivityTest.RunForVaultAsync(
            vault.Location, Agent.Machine.Connect(vault, VaultPatience.Person), stop => Agent.Vaults.CheckAsync(vault, stop), cancellationToken).ConfigureAwait(false)).ToOutput();

    private async Task<OBEndpointTest> TestFolderAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        BackupException? failure = null;
        try
        {
            await Agent.Vaults.CheckAsync(vault, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            failure = e;
        }

        OBTestOutcome outcome = failure is null ? OBTestOutcome.Passed : OBTestOutcome.Failed;
        return new OBEndpointTest
        {
            Endpoint = vault.Location,
            Purpose = "the vault",
            IsVault = true,
            Outcome = outcome,
            FailedLayer = failure is null ? null : OBConnectivityLayer.Authorisation,
            Cause = failure?.Message,
            RecommendedAction = failure?.RecommendedAction,
            Layers =
            [
                new OBLayerTest
                {
                    Layer = OBConnectivityLayer.Authorisation,
                    Outcome = outcome,
                    Detail = failure?.Message ?? "this account may read the folder",
                    RecommendedAction = failure?.RecommendedAction,
                },
            ],
        };
    }
}
