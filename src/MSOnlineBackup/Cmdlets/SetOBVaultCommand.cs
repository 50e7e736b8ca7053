using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Agent.Access;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Changes what a vault's owner decides for all of its machines.</summary>
[Cmdlet(VerbsCommon.Set, "OBVault", SupportsShouldProcess = true)]
[OutputType(typeof(OBVault))]
public sealed class SetOBVaultCommand : OwnerCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>
    /// How the subscription stands that pays for it. Unless Active, no machine backs up to it; what is in it stays, and can be restored (in the profile Mars not where it is
    /// Deprovisioned).
    /// </summary>
    [Parameter]
    public OBVaultState State { get; set; }

    /// <summary>How many machines may be registered with it: 1 to 10,000.</summary>
    [Parameter]
    public int MachineLimit { get; set; }

    /// <summary>For how many days a deleted recovery point can be brought back: 14 to 180.</summary>
    [Parameter]
    public int UndeleteDays { get; set; }

    /// <summary>How much parity maintenance keeps beside packs, in per cent of them: 5 to 25, or 0 for none.</summary>
    [Parameter]
    public int ParityPercent { get; set; }

    /// <summary>Within how many days maintenance reads back everything that is stored: 1 to 3,650; 0 for never.</summary>
    [Parameter]
    public int VerifyDays { get; set; }

    /// <summary>Has backups maintain the vault after themselves, at most daily, where a machine may delete; with $false that is left to others.</summary>
    [Parameter]
    public SwitchParameter MaintainAfterBackup { get; set; }

    /// <summary>Whether each run of a machine leaves a status in the vault for Get-OBCompliance and 'obengine watch': Sealed, Plain, which whoever sees the vault can read, or Off.</summary>
    [Parameter]
    public OBStatusForm Statuses { get; set; }

    /// <summary>Lets machines reach it by a private address only, from their next registration on; with $false by any.</summary>
    [Parameter]
    public SwitchParameter RequirePrivateEndpoint { get; set; }

    /// <summary>The tier into which contents of files go from now on, in a cloud. What is there stays where it is.</summary>
    [Parameter]
    public OBAccessTier AccessTier { get; set; }

    /// <summary>How many copies its storage account is meant to keep; Get-OBVault warns where it keeps others.</summary>
    [Parameter]
    public OBRedundancy Redundancy { get; set; }

    /// <summary>
    /// Asks for a security PIN of the owner before recovery points are deleted by hand, retention is shortened, a passphrase is replaced or a key removed; with
    /// $false no longer.
    /// </summary>
    [Parameter]
    public SwitchParameter RequirePin { get; set; }

    /// <summary>Whether young recovery points can be deleted by nobody (On), and whether that can be undone (Locked: never).</summary>
    [Parameter]
    public OBImmutability Immutability { get; set; }

    /// <summary>For how many days a recovery point is immutable: 1 to 36,500.</summary>
    [Parameter]
    [ValidateRange(1, VaultSettings.MostImmutableDays)]
    public int ImmutableDays { get; set; }

    /// <summary>Public keys of those of whom one must approve of what destroys (New-OBApprover); with an empty array nobody must.</summary>
    [Parameter]
    [AllowEmptyCollection]
    public string[] Approver { get; set; } = [];

    /// <summary>For how many days nothing of a machine is deleted for good after something unusual: 0 to 180; 0 for no brake.</summary>
    [Parameter]
    [ValidateRange(0, VaultSettings.MostBrakeDays)]
    public int BrakeDays { get; set; }

    /// <summary>A machine, of which what is over is deleted for good again though something unusual happened.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ReleaseBrake { get; set; }

    /// <summary>The oldest version of this software that may write to the vault; at most this one. It can be raised, and never be taken back.</summary>
    [Parameter]
    public Version? MinAgentVersion { get; set; }

    /// <summary>The code of an approver, where the vault has approvers and is to be protected less.</summary>
    [Parameter]
    public string? Approval { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, $"Set {string.Join(", ", Changes())}"))
        {
            OwnerAccess? owner = Owner;
            WriteVault(Run(async (_, stop) =>
            {
                if (ReleaseBrake is not null)
                {
                    await Agent.Ownership.ReleaseBrakeAsync(location, ReleaseBrake, owner, new Consent(null, Approval), stop).ConfigureAwait(false);
                }

                if (MinAgentVersion is not null)
                {
                    await Agent.Ownership.RequireAgentVersionAsync(location, MinAgentVersion, owner, stop).ConfigureAwait(false);
                }

                await Agent.Ownership.ChangeSettingsAsync(location, Change, owner, stop, new Consent(null, Approval)).ConfigureAwait(false);
                return await Agent.Vaults.InspectAsync(location, stop).ConfigureAwait(false);
            }));
        }
    }

    private bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    private VaultSettings Change(VaultSettings settings) => settings with
    {
        Subscription = IsGiven(nameof(State)) ? State.ToEngine() : settings.Subscription,
        MachineLimit = IsGiven(nameof(MachineLimit)) ? MachineLimit : settings.MachineLimit,
        UndeleteDays = IsGiven(nameof(UndeleteDays)) ? UndeleteDays : settings.UndeleteDays,
        ParityPercent = IsGiven(nameof(ParityPercent)) ? ParityPercent : settings.ParityPercent,
        VerifyDays = IsGiven(nameof(VerifyDays)) ? VerifyDays : settings.VerifyDays,
        MaintainsAfterBackup = IsGiven(nameof(MaintainAfterBackup)) ? MaintainAfterBackup : settings.MaintainsAfterBackup,
        Statuses = IsGiven(nameof(Statuses)) ? Statuses.ToEngine() : settings.Statuses,
        RequiresPrivateEndpoint = IsGiven(nameof(RequirePrivateEndpoint)) ? RequirePrivateEndpoint : settings.RequiresPrivateEndpoint,
        Approvers = IsGiven(nameof(Approver)) ? Approver : settings.Approvers,
        BrakeDays = IsGiven(nameof(BrakeDays)) ? BrakeDays : settings.BrakeDays,
        RequiresPin = IsGiven(nameof(RequirePin)) ? RequirePin : settings.RequiresPin,
        Immutability = IsGiven(nameof(Immutability)) ? Immutability.ToEngine() : settings.Immutability,
        ImmutableDays = IsGiven(nameof(ImmutableDays)) ? ImmutableDays : settings.ImmutableDays,
        AccessTier = IsGiven(nameof(AccessTier)) ? AccessTier.ToEngine() : settings.AccessTier,
        Redundancy = IsGiven(nameof(Redundancy)) ? Redundancy.ToEngine() : settings.Redundancy,
    };

    private List<string> Changes()
    {
        var changes = new List<string>();
        if (IsGiven(nameof(State)))
        {
            changes.Add($"the state to {State}{(State == OBVaultState.Active ? "" : ": no machine backs up to it")}");
        }

        if (IsGiven(nameof(MachineLimit)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the machine limit to {MachineLimit}"));
        }

        if (IsGiven(nameof(UndeleteDays)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the undelete time to {UndeleteDays} days"));
        }

        if (IsGiven(nameof(ParityPercent)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the parity to {ParityPercent} %"));
        }

        if (IsGiven(nameof(VerifyDays)))
        {
            changes.Add(VerifyDays == 0 ? "verification by maintenance to never" : string.Create(CultureInfo.InvariantCulture, $"verification by maintenance to all within {VerifyDays} days"));
        }

        if (IsGiven(nameof(MaintainAfterBackup)))
        {
            changes.Add(MaintainAfterBackup ? "maintenance after backups to on" : "maintenance after backups to off");
        }

        if (IsGiven(nameof(Statuses)))
        {
            changes.Add($"statuses to {Statuses}");
        }

        if (IsGiven(nameof(RequirePrivateEndpoint)))
        {
            changes.Add(RequirePrivateEndpoint ? "private endpoints to required" : "private endpoints to not required");
        }

        if (IsGiven(nameof(AccessTier)))
        {
            changes.Add($"the access tier to {AccessTier}");
        }

        if (IsGiven(nameof(Redundancy)))
        {
            changes.Add($"the redundancy to {Redundancy}");
        }

        if (IsGiven(nameof(RequirePin)))
        {
            changes.Add(RequirePin ? "the security PIN to required" : "the security PIN to not required");
        }

        if (IsGiven(nameof(Approver)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the approvers to {Approver.Length}"));
        }

        if (IsGiven(nameof(Immutability)))
        {
            changes.Add(Immutability == OBImmutability.Locked ? "immutability to Locked, which nobody can undo" : $"immutability to {Immutability}");
        }

        if (IsGiven(nameof(BrakeDays)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the brake on deletion to {BrakeDays} days"));
        }

        if (IsGiven(nameof(ReleaseBrake)))
        {
            changes.Add($"the brake on deletion of '{ReleaseBrake}' to released");
        }

        if (IsGiven(nameof(ImmutableDays)))
        {
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"the immutable time to {ImmutableDays} days"));
        }

        if (MinAgentVersion is not null)
        {
            changes.Add($"the oldest version that writes to it to {MinAgentVersion}, which cannot be taken back");
        }

        return changes.Count > 0 ? changes : throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            "No setting was given.",
            "Give -State, -MachineLimit, -UndeleteDays, -ParityPercent, -VerifyDays, -MaintainAfterBackup, -Statuses, -RequirePrivateEndpoint, -AccessTier, -Redundancy, "
                + "-RequirePin, -Approver, -Immutability, -ImmutableDays, -BrakeDays, -ReleaseBrake or -MinAgentVersion.");
    }
}
