using System.Management.Automation;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says which versions are at work, and whether the vault takes backups of them.</summary>
[Cmdlet(VerbsCommon.Get, "OBVersion")]
[OutputType(typeof(OBVersion))]
public sealed class GetOBVersionCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        VaultVersions? vault = Agent.Machine.Registration is null ? null : TryAsk();
        WriteObject(new OBVersion
        {
            Module = Product.Number,
            Engine = Product.Version,
            Format = VaultVersions.Newest,
            VaultFormat = vault?.Format,
            VaultMinAgentVersion = vault?.MinAgent,
            IsAccepted = vault?.IsAccepted,
            PowerShell = ModuleEnvironment.PowerShellVersion,
            DotNet = Environment.Version,
            OperatingSystem = SystemIdentity.Current.Name,
        });
    }

    // Which version runs here is known without the vault.
    private VaultVersions? TryAsk()
    {
        try
        {
            return Run((_, stop) => Agent.Vaults.ReadVersionsAsync(stop));
        }
        catch (BackupException e)
        {
            WriteWarning($"What the vault says of versions is not known. {e.Message}");
            return null;
        }
    }
}
