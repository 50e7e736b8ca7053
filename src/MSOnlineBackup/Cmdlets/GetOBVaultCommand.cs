using System.Management.Automation;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Storage.Azure.Costs;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Storage;
using Prices = MSOnlineBackup.Storage.Azure.Costs.PriceTable;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows a vault as it can be known without a passphrase: this machine's, or any.</summary>
[Cmdlet(VerbsCommon.Get, "OBVault")]
[OutputType(typeof(OBVault))]
public sealed class GetOBVaultCommand : OBEngineCmdlet
{
    /// <summary>The vault's folder or URL; without it the vault that this machine is registered with.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [Alias("Url")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>The prices to estimate the cost of a vault in Azure by; without it those of <c>prices.json</c> in the state folder, and
    /// without that the approximate prices that come with the module.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? PriceTable { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = Path is null ? OwnVault() : VaultPlace(Path);
        VaultInfo vault = Run((_, stop) => Agent.Vaults.InspectAsync(location, stop));
        WriteVault(vault, new VaultAddress(location).IsContainer ? EstimateCost(location, vault) : null, ReadProofs(location));
    }

    // Only of this machine's own vault the key is at hand.
    private VaultProofSummary? ReadProofs(string location)
    {
        if (location != Agent.Machine.Registration?.VaultLocation || !Agent.Machine.HasPassphrase)
        {
            return null;
        }

        try
        {
            return Run(async (_, stop) =>
            {
                using UnlockedVault vault = await Agent.OpenEngineAsync(stop).ConfigureAwait(false);
                return await vault.Proofs.ReadAsync(stop).ConfigureAwait(false);
            });
        }
        catch (BackupException e)
        {
            WriteWarning($"What is proven of the vault cannot be told: {e.Message} ({e.Id}) {e.RecommendedAction}");
            return null;
        }
    }

    // What a folder needs loads nothing of Azure.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private OBCostEstimate? EstimateCost(string location, VaultInfo vault)
    {
        if (BlobLocation.Parse(location).Url.IsLoopback)
        {
            return null;
        }

        // The history knows the jobs of this machine, and those are on its own vault.
        IReadOnlyList<JobRecord> jobs = location == Agent.Machine.Registration?.VaultLocation ? Agent.Jobs.List() : [];
        return CostEstimate.Of(Prices.Read(PriceFile()), new Dictionary<string, long> { [vault.Settings.AccessTier.ToString()] = vault.StoredBytes }, jobs.Counted(), TimeProvider.System.GetUtcNow()).ToOutput();
    }

    private string PriceFile()
    {
        string own = System.IO.Path.Combine(Agent.StateFolder, Prices.FileName);
        return PriceTable is not null ? FullPath(PriceTable) : File.Exists(own) ? own : Prices.ShippedFile;
    }

    private string OwnVault() => Agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
        BackupErrorId.MachineNotRegistered,
        $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
        "Name a vault's folder or URL with -Path, or register first with Start-OBRegistration.",
        Agent.Machine.Name);
}
