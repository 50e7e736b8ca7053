using System.Management.Automation;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Creates a vault in a folder, of this machine or of another that ssh reaches, or in a container in Azure Blob Storage.</summary>
[Cmdlet(VerbsCommon.New, "OBVault", SupportsShouldProcess = true, DefaultParameterSetName = InFolder)]
[OutputType(typeof(OBVault))]
public sealed class NewOBVaultCommand : OwnerCmdlet
{
    private const string InFolder = "Path";
    private const string InContainer = "Url";

    /// <summary>The folder: new, or empty. A URL is taken as <see cref="Url"/> is.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = InFolder)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The container, as https://ACCOUNT.blob.core.windows.net/CONTAINER, or the folder of another machine, as ssh://USER@HOST/PATH: new, or empty.</summary>
    [Parameter(Mandatory = true, ParameterSetName = InContainer)]
    [ValidateNotNullOrEmpty]
    public string Url { get; set; } = "";

    /// <summary>What the vault is called; the folder's or container's name unless given.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>Lets this machine keep the owner's key beside the owner's file, so that it can do the owner's work unattended.</summary>
    [Parameter]
    public SwitchParameter KeepOwner { get; set; }

    /// <summary>For how many days a deleted recovery point can be brought back: 14 to 180, and 14 unless given.</summary>
    [Parameter]
    [ValidateRange(VaultSettings.LeastUndeleteDays, VaultSettings.MostUndeleteDays)]
    public int UndeleteDays { get; set; } = VaultSettings.LeastUndeleteDays;

    /// <summary>How much parity maintenance keeps beside packs, in per cent of them: 5 to 25; none unless given.</summary>
    [Parameter]
    [ValidateRange(VaultSettings.LeastParityPercent, VaultSettings.MostParityPercent)]
    public int ParityPercent { get; set; }

    /// <summary>A vault, or its folder or URL, of which this one is to be a twin: of the same id, opened by the same passphrases, with the same owner and settings.</summary>
    [Parameter]
    [VaultLocationTransformation]
    [ValidateNotNullOrEmpty]
    public string? TwinOf { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        VaultAddress vault = ParameterSetName == InContainer ? Url : VaultPlace(Path);
        if (ParameterSetName == InContainer && !vault.IsRemote)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{Url}' is not the URL of a container.",
                "Give the vault's container as https://ACCOUNT.blob.core.windows.net/CONTAINER, a folder of another machine as ssh://USER@HOST/PATH, or a folder with -Path.",
                Url);
        }

        string place = vault.IsRemote ? vault.Location.TrimEnd('/') : System.IO.Path.TrimEndingDirectorySeparator(vault.Location);
        if (TwinOf is not null)
        {
            CreateTwin(place, VaultPlace(TwinOf));
            return;
        }

        if (ShouldProcess(place, "Create vault"))
        {
            OwnerAccess? owner = Owner;
            VaultInfo created = Run(async (_, stop) =>
            {
                VaultInfo made =
                    await Agent.Ownership.CreateVaultAsync(place, Name ?? System.IO.Path.GetFileName(place), stop, owner, KeepOwner).ConfigureAwait(false);
                return Change(made.Settings) == made.Settings
                    ? made
                    : made with { Settings = await Agent.Ownership.ChangeSettingsAsync(place, Change, owner, stop).ConfigureAwait(false) };
            });
            if (owner is null)
            {
                WriteWarning(
                    "The owner's key of this vault is kept only on this machine. If the machine is lost, so are the owner's rights, "
                        + $"although backups continue. Export the key to a safe place: Export-OBVaultOwner '{place}' -OwnerFile FILE.");
            }
            else
            {
                WriteInformation(new HostInformationMessage { Message = $"The owner's key of the vault is in '{owner.File}'. Keep a copy of it and its "
                    + "passphrase elsewhere, away from the vault." }, ["PSHOST"]);
            }

            WriteVault(created);
        }
    }

    private void CreateTwin(string place, string original)
    {
        string[] contradictions = [nameof(Name), nameof(KeepOwner), nameof(OwnerFile), nameof(OwnerPassphrase), nameof(UndeleteDays), nameof(ParityPercent)];
        if (contradictions.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is { } contradiction)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"-{contradiction} was given with -TwinOf: a twin has the name, the owner and the settings of its vault.",
                $"Leave out -{contradiction}. The owner changes the settings of the twin afterwards: Set-OBVault '{place}'.",
                contradiction);
        }

        if (ShouldProcess(place, $"Create twin of the vault '{original}'"))
        {
            WriteVault(Run((_, stop) => Agent.Copies.CreateTwinAsync(place, original, stop)));
        }
    }

    private VaultSettings Change(VaultSettings settings) => settings with { UndeleteDays = UndeleteDays, ParityPercent = ParityPercent };
}
