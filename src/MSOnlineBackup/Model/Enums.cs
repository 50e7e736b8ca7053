namespace MSOnlineBackup;

/// <summary>Whether a policy's schedule runs.</summary>
public enum OMPolicyStates
{
    /// <summary>It runs.</summary>
    Valid,

    /// <summary>It is paused; backups on demand run all the same.</summary>
    Paused,
}

/// <summary>Which finished jobs are asked for.</summary>
public enum CBJobStatusFilter
{
    /// <summary>All.</summary>
    All,

    /// <summary>Those that did their work, with or without warnings.</summary>
    Successful,

    /// <summary>Those that did not.</summary>
    Failed,
}

/// <summary>What may make a folder or its volume a bad source of backups.</summary>
public enum OBSourceKind
{
    /// <summary>It is held in memory, and gone after a restart.</summary>
    Memory,

    /// <summary>It is on a disk whose content a cloud does not keep.</summary>
    Temporary,

    /// <summary>It is on another machine, or made by a program.</summary>
    Network,

    /// <summary>Several machines write to its volume.</summary>
    Cluster,

    /// <summary>A service brings it to other machines, or keeps what it needs for that beside it.</summary>
    Replicated,

    /// <summary>It is a container's own layer, and goes with the container.</summary>
    Container,

    /// <summary>Its disk can be taken out.</summary>
    Removable,

    /// <summary>It is on an optical medium.</summary>
    Optical,

    /// <summary>Its volume cannot be written to.</summary>
    ReadOnly,

    /// <summary>Files in it whose content is in a cloud, and which reading fetches.</summary>
    Placeholder,
}

/// <summary>Whether backups read snapshots of volumes.</summary>
public enum OBSnapshotMode
{
    /// <summary>Where a volume can; others are read in place, and the recovery point says so.</summary>
    Auto,

    /// <summary>Of every volume, or there is no backup.</summary>
    Require,

    /// <summary>Of none: all is read in place.</summary>
    Never,
}

/// <summary>How far a recovery point has come.</summary>
public enum OBRecoveryPointState
{
    /// <summary>Its snapshots are on this machine, and the vault does not have it: it is no backup.</summary>
    Local,

    /// <summary>A backup is at work that reads its snapshots.</summary>
    Uploading,

    /// <summary>It is in the vault.</summary>
    Vaulted,
}

/// <summary>How far a recovery point has come from its vault to the copies of that.</summary>
public enum OBRecoveryPointPlace
{
    /// <summary>Nobody has asked, or a copy could not be, and the others do not have it.</summary>
    Unknown,

    /// <summary>It is in the vault, and in no copy.</summary>
    Local,

    /// <summary>It is in the vault, and on its way to a copy.</summary>
    Copying,

    /// <summary>It is in the vault, and in a copy at least.</summary>
    Vaulted,

    /// <summary>It is in a copy, and in the vault no more.</summary>
    CloudOnly,
}

/// <summary>Where a recovery has its data from.</summary>
public enum OBRecoveryTier
{
    /// <summary>From the vault; where that cannot be reached, from local snapshots of the same point.</summary>
    Auto,

    /// <summary>From local snapshots.</summary>
    Local,

    /// <summary>From the vault.</summary>
    Vault,
}

/// <summary>Whether the system's log is told of beginnings and ends of jobs.</summary>
public enum OBSystemLogMode
{
    /// <summary>Where the system has one.</summary>
    Auto,

    /// <summary>It is not.</summary>
    Off,
}

/// <summary>How far what a backup has read is of one moment.</summary>
public enum OBConsistency
{
    /// <summary>Not told: of a stream, or by an earlier version.</summary>
    Unknown,

    /// <summary>Each file was read in its own moment.</summary>
    None,

    /// <summary>All is of one moment, as after a loss of power.</summary>
    Crash,

    /// <summary>All is of one moment, with everything that had been written to files by then.</summary>
    FileSystem,

    /// <summary>So it is, and programs had brought their files into order.</summary>
    Application,
}

/// <summary>How hard a backup tries to make what it stores small.</summary>
public enum OBCompression
{
    /// <summary>Quick, and much smaller.</summary>
    Default,

    /// <summary>Less work, and more to store.</summary>
    Fastest,

    /// <summary>More work, and less to store.</summary>
    Better,

    /// <summary>As small as it gets, at a few megabytes a second.</summary>
    Max,
}

/// <summary>What a recovery does where an item exists.</summary>
public enum OverwriteType
{
    /// <summary>Puts a copy beside it.</summary>
    CreateCopy,

    /// <summary>Leaves what is there.</summary>
    Skip,

    /// <summary>Replaces it.</summary>
    Overwrite,
}

/// <summary>Whether an object is a draft or saved.</summary>
public enum OBObjectState
{
    /// <summary>A draft.</summary>
    New,

    /// <summary>Saved.</summary>
    Existing,
}

/// <summary>What a job does.</summary>
public enum CBJobType
{
    /// <summary>Backs up.</summary>
    Backup,

    /// <summary>Brings back.</summary>
    Recovery,
}

/// <summary>How a job stands.</summary>
public enum CBJobState
{
    /// <summary>At work.</summary>
    InProgress,

    /// <summary>Done.</summary>
    Completed,

    /// <summary>Done but for items that were skipped; Get-OBSkippedItem lists them.</summary>
    CompletedWithWarning,

    /// <summary>Of the original's transport by disk; no job of this module ends so.</summary>
    CompletedWithWaitingForImportJob,

    /// <summary>Of the original's transport by disk; no job of this module ends so.</summary>
    CompletedWithWaitingForCopyBlob,

    /// <summary>It could not do its work.</summary>
    Failed,

    /// <summary>Stopped by somebody.</summary>
    Aborted,

    /// <summary>A backup that a schedule wanted and that was not begun; its error says why.</summary>
    Skipped,
}

/// <summary>What becomes of backups that a schedule wanted while it could not run.</summary>
public enum OBMissedRuns
{
    /// <summary>One backup makes up for them, as soon as it can.</summary>
    CatchUp,

    /// <summary>They are put on record as skipped.</summary>
    Skip,

    /// <summary>As CatchUp; and one backup also makes up for what fell due while the vault's subscription had expired, or contact was lost.</summary>
    CatchUpAlways,
}

/// <summary>How the subscription stands that pays for a vault.</summary>
public enum OBVaultState
{
    /// <summary>It is paid for: machines back up.</summary>
    Active,

    /// <summary>It has expired, or is suspended: nothing is backed up, and restores go on.</summary>
    Expired,

    /// <summary>It was given up: nothing is backed up. In the profile Mars nothing is restored either, unless from a folder with -Force.</summary>
    Deprovisioned,
}

/// <summary>A week of a month: the n-th time that a day of the week comes.</summary>
public enum CBNthWeek
{
    /// <summary>The first.</summary>
    First = 1,

    /// <summary>The second.</summary>
    Second,

    /// <summary>The third.</summary>
    Third,

    /// <summary>The fourth.</summary>
    Fourth,

    /// <summary>The last, whether fourth or fifth.</summary>
    Last,
}

/// <summary>A month of the year; its number does as well.</summary>
public enum CBMonth
{
    /// <summary>1.</summary>
    January = 1,

    /// <summary>2.</summary>
    February,

    /// <summary>3.</summary>
    March,

    /// <summary>4.</summary>
    April,

    /// <summary>5.</summary>
    May,

    /// <summary>6.</summary>
    June,

    /// <summary>7.</summary>
    July,

    /// <summary>8.</summary>
    August,

    /// <summary>9.</summary>
    September,

    /// <summary>10.</summary>
    October,

    /// <summary>11.</summary>
    November,

    /// <summary>12.</summary>
    December,
}

/// <summary>Whether this machine has a passphrase, and the key file that jobs run by.</summary>
public enum EncryptionKeyStatus
{
    /// <summary>None was set yet.</summary>
    NotSet,

    /// <summary>One is set, and the key file serves.</summary>
    Set,

    /// <summary>One is set, and the key file is missing, damaged or another machine's: no job can run until Repair-OBKey has made it anew.</summary>
    Invalid,
}

/// <summary>Where a vault in a cloud keeps the contents of files.</summary>
public enum OBAccessTier
{
    /// <summary>Read at any time.</summary>
    Hot,

    /// <summary>Cheaper to keep, dearer to read; for 30 days at least.</summary>
    Cool,

    /// <summary>Cheaper still; for 90 days at least.</summary>
    Cold,
}

/// <summary>How many copies of a vault a cloud keeps, and where.</summary>
public enum OBRedundancy
{
    /// <summary>Three in one data centre (LRS).</summary>
    LocallyRedundant,

    /// <summary>In three data centres of a region (ZRS).</summary>
    ZoneRedundant,

    /// <summary>Locally redundant, and in another region too (GRS, RA-GRS).</summary>
    GeoRedundant,

    /// <summary>Zone-redundant, and in another region too (GZRS, RA-GZRS).</summary>
    GeoZoneRedundant,
}

/// <summary>How the storage itself keeps what an immutable vault keeps.</summary>
public enum OBStorageLock
{
    /// <summary>It does not: the product alone keeps it.</summary>
    None,

    /// <summary>By flags or policies that somebody with the right to can take off.</summary>
    Unlocked,

    /// <summary>By policies that nobody can take off or shorten.</summary>
    Locked,
}

/// <summary>How the runs of a vault's machines are told to whoever watches.</summary>
public enum OBStatusForm
{
    /// <summary>By statuses that only who has the passphrase or a monitoring credential can read.</summary>
    Sealed,

    /// <summary>By statuses that whoever sees the vault can read.</summary>
    Plain,

    /// <summary>Not at all.</summary>
    Off,
}

/// <summary>Whether young recovery points of a vault can be deleted.</summary>
public enum OBImmutability
{
    /// <summary>They can, and be brought back for the undelete time.</summary>
    Off,

    /// <summary>They cannot. The vault's owner can change that.</summary>
    On,

    /// <summary>They cannot, and nobody can change that: the time can only be made longer.</summary>
    Locked,
}

/// <summary>As what a report is written.</summary>
public enum OBReportFormat
{
    /// <summary>A page that needs nothing else.</summary>
    Html,

    /// <summary>A row for each machine and policy.</summary>
    Csv,

    /// <summary>All of it, for programs.</summary>
    Json,
}

/// <summary>How the agent of another machine stands.</summary>
public enum OBAgentState
{
    /// <summary>It is the version that this machine has, or that was last put there.</summary>
    Current,

    /// <summary>This machine has a newer version.</summary>
    Available,

    /// <summary>The machine could not be reached. The update is made by the next call that reaches it.</summary>
    Pending,

    /// <summary>A version is being put there.</summary>
    Updating,

    /// <summary>The last install or update failed or was interrupted. What was there before is still used.</summary>
    Failed,
}

/// <summary>How a disk vault of a protection group stands.</summary>
public enum OBDiskVaultState
{
    /// <summary>It takes backups.</summary>
    Ready,

    /// <summary>Less than 5 % of its disk is free: machines go to the next disk vault, where there is one with room.</summary>
    LowSpace,

    /// <summary>It is not there, or cannot be opened.</summary>
    Away,
}
