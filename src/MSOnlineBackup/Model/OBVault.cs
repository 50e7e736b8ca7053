namespace MSOnlineBackup;

/// <summary>A vault, as it can be known without a passphrase.</summary>
public sealed class OBVault
{
    /// <summary>What it is called.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Where it is: its folder, or the URL of its container.</summary>
    public string Location { get; internal init; } = "";

    /// <summary>32 hexadecimal digits.</summary>
    public string VaultId { get; internal init; } = "";

    /// <summary>When it was created, in UTC.</summary>
    public DateTime Created { get; internal init; }

    /// <summary>How its subscription stands, as its owner has set it.</summary>
    public OBVaultState State { get; internal init; }

    /// <summary>When this machine last had contact with it, in UTC, to the hour; null for a vault that is not this machine's.</summary>
    public DateTime? LastContact { get; internal init; }

    /// <summary>Who its owner is: the fingerprint of the owner's key, 64 hexadecimal digits; null where it has none.</summary>
    public string? Owner { get; internal init; }

    /// <summary>The machines that are registered with it, or back up to it.</summary>
    public string[] Machines { get; internal init; } = [];

    /// <summary>How many machines may be registered with it.</summary>
    public int MachineLimit { get; internal init; }

    /// <summary>For how many days a deleted recovery point can be brought back.</summary>
    public int UndeleteDays { get; internal init; }

    /// <summary>How much parity maintenance keeps beside packs, in per cent of them; 0 for none.</summary>
    public int ParityPercent { get; internal init; }

    /// <summary>Within how many days maintenance reads back everything that is stored; 0 for never.</summary>
    public int VerifyDays { get; internal init; }

    /// <summary>Whether backups maintain it after themselves, where a machine may delete.</summary>
    public bool MaintainAfterBackup { get; internal init; }

    /// <summary>How the runs of its machines are told to whoever watches.</summary>
    public OBStatusForm Statuses { get; internal init; }

    /// <summary>Whether a security PIN of the owner is asked for before what destroys.</summary>
    public bool RequirePin { get; internal init; }

    /// <summary>Public keys of those of whom one must approve of what destroys.</summary>
    public string[] Approvers { get; internal init; } = [];

    /// <summary>For how many days nothing of a machine is deleted for good after something unusual; 0 for no brake.</summary>
    public int BrakeDays { get; internal init; }

    /// <summary>Whether young recovery points can be deleted.</summary>
    public OBImmutability Immutability { get; internal init; }

    /// <summary>For how many days a recovery point is immutable; 0 where none is.</summary>
    public int ImmutableDays { get; internal init; }

    /// <summary>How the storage itself keeps what an immutable vault keeps: None, Unlocked (somebody with the right can take it off), or Locked.</summary>
    public OBStorageLock StorageLock { get; internal init; }

    /// <summary>Until when the storage keeps it, in UTC; null where it keeps nothing, or until somebody takes the lock off.</summary>
    public DateTime? StorageLockedUntil { get; internal init; }

    /// <summary>Whether machines may reach it by a private address only.</summary>
    public bool RequirePrivateEndpoint { get; internal init; }

    /// <summary>Where contents of files go, in a cloud.</summary>
    public OBAccessTier AccessTier { get; internal init; }

    /// <summary>How many copies its storage account is declared to keep; null where nobody said.</summary>
    public OBRedundancy? Redundancy { get; internal init; }

    /// <summary>How many copies its storage account keeps; null for a folder, and where that cannot be known.</summary>
    public OBRedundancy? AccountRedundancy { get; internal init; }

    /// <summary>Number of recovery points, of all machines, those included that are deleted and can be brought back.</summary>
    public int RecoveryPoints { get; internal init; }

    /// <summary>Bytes of everything in it.</summary>
    public long StoredBytes { get; internal init; }

    /// <summary>
    /// What is proven of each machine that shares this machine's passphrase; empty where the vault is not this machine's, or its passphrase is not set here.
    /// </summary>
    public OBMachineProof[] Proofs { get; internal init; } = [];

    /// <summary>Packs that verification has found damaged or missing, and not found whole since; empty also where nobody could look.</summary>
    public string[] DamagedPacks { get; internal init; } = [];

    /// <summary>When the vault was maintained, in UTC; null where that is not on record, or nobody could look.</summary>
    public DateTime? LastMaintained { get; internal init; }

    /// <summary>What a month costs, about; null for a vault that costs nothing: in a folder, or an emulator.</summary>
    public OBCostEstimate? EstimatedCost { get; internal init; }

    /// <summary>The version of its format.</summary>
    public int FormatVersion { get; internal init; }

    /// <summary>The oldest version of this software that may write to it; null where any may.</summary>
    public Version? MinAgentVersion { get; internal init; }

    /// <summary>Where it is, so that it can be given where a vault is asked for.</summary>
    public override string ToString() => Location;
}
