namespace MSOnlineBackup.Vaults.Errors;

/// <summary>
/// The stable identity of an error. The name is the id that scripts test; it never changes its meaning.
/// Each value has a section in <c>docs/errors.md</c>.
/// </summary>
public enum BackupErrorId
{
    /// <summary>A bug: nothing more specific is known.</summary>
    UnexpectedError = 0,

    // The vault as a whole.
    /// <summary>Nothing is at the vault's location.</summary>
    VaultNotFound = 100,
    /// <summary>A vault, or something else, is already where one was to be created.</summary>
    VaultExists,
    /// <summary>The location holds something that is not a vault.</summary>
    VaultHeaderInvalid,
    /// <summary>The vault was written by a newer version.</summary>
    VaultFormatUnsupported,
    /// <summary>The location was there and is gone, or the medium answers with I/O errors.</summary>
    VaultUnreachable,
    /// <summary>The account may not read or write the vault.</summary>
    VaultAccessDenied,
    /// <summary>The medium of the vault has no room left.</summary>
    VaultFull,
    /// <summary>An object of the vault does not verify: it is truncated, altered or in the wrong place.</summary>
    VaultDataCorrupt,
    /// <summary>An object that another one names is not there.</summary>
    VaultDataMissing,
    /// <summary>A maintenance run fenced this job's session; its data are safe, the job must be run again.</summary>
    SessionFenced,
    /// <summary>An object of the vault cannot be read while the vault answers for others: a sector of the medium failed, or the account may not read this one.</summary>
    VaultDataUnreadable,
    /// <summary>The vault's header, <c>vault.json</c>, is damaged or lost.</summary>
    VaultHeaderDamaged,
    /// <summary>The vault's header cannot be rebuilt: it is sound, or what is left says too little, or contradicts itself.</summary>
    VaultHeaderNotRepaired,

    // Keys.
    /// <summary>No key slot opens with this passphrase.</summary>
    PassphraseRejected = 200,
    /// <summary>The passphrase is too short or has characters outside printable ASCII.</summary>
    PassphraseInvalid,
    /// <summary>A key slot is damaged.</summary>
    KeySlotDamaged,
    /// <summary>No key slot has this id.</summary>
    KeySlotNotFound,
    /// <summary>The last key slot cannot be removed: nothing could open the data again.</summary>
    KeySlotIsLast,
    /// <summary>The vault has more key slots, or costlier ones, than a passphrase is tried on.</summary>
    KeySlotsNotTried,
    /// <summary>A key cannot be derived from the passphrase here: libsodium does not load, or there is not enough memory.</summary>
    KeyDerivationUnavailable,
    /// <summary>The chunk store holds another master key than the one that this machine backs up to.</summary>
    ChunkStoreExchanged,

    // Sources.
    /// <summary>Nothing was named to back up.</summary>
    SourceMissing = 300,
    /// <summary>The folder or file to back up does not exist.</summary>
    SourceNotFound,
    /// <summary>The source was a mount point in an earlier backup and is not mounted now.</summary>
    SourceNotMounted,
    /// <summary>The source cannot be read at all.</summary>
    SourceUnreadable,
    /// <summary>A file or folder inside a source could not be read.</summary>
    SourceItemUnreadable,
    /// <summary>A file changed while it was read.</summary>
    SourceItemChanged,
    /// <summary>A file vanished between listing and reading.</summary>
    SourceItemVanished,
    /// <summary>An exclusion pattern is not valid.</summary>
    PatternInvalid,
    /// <summary>The command whose output was to be backed up failed.</summary>
    CommandFailed,
    /// <summary>An attribute of a file or folder could not be read; everything else of it was.</summary>
    SourceAttributeUnreadable,
    /// <summary>An encrypted folder or file is locked: its key is not there.</summary>
    SourceItemLocked,

    // Recovery points and items.
    /// <summary>No recovery point matches.</summary>
    RecoveryPointNotFound = 400,
    /// <summary>The recovery point holds no such item.</summary>
    RecoverableItemNotFound,
    /// <summary>More than one recovery point matches the given prefix.</summary>
    RecoveryPointAmbiguous,
    /// <summary>The newest recovery point of a machine stays: the next backup and whoever restores rely on it.</summary>
    RecoveryPointIsNewest,
    /// <summary>The recovery point was deleted, and its time to be brought back is over.</summary>
    RecoveryPointGone,

    // Restores.
    /// <summary>The restore target is not a folder, or lies where it must not.</summary>
    RestoreTargetInvalid = 500,
    /// <summary>An item already exists at the target.</summary>
    RestoreItemExists,
    /// <summary>The target cannot be written.</summary>
    RestoreTargetUnwritable,
    /// <summary>The target has no room left.</summary>
    RestoreTargetFull,
    /// <summary>An item could not be restored.</summary>
    RestoreItemFailed,
    /// <summary>Owner, mode, times or attributes of an item could not be set.</summary>
    RestoreMetadataFailed,
    /// <summary>A restored file differs from the recovery point.</summary>
    RestoreVerifyFailed,
    /// <summary>The target cannot have an item of this name.</summary>
    RestoreNameImpossible,
    /// <summary>An item was restored under another name, as the target takes its own for that of another.</summary>
    RestoreItemRenamed,
    /// <summary>Items of one name were recovered together, so that all went by their full paths.</summary>
    RestoredByFullPath,

    // Calls.
    /// <summary>An argument or option is not valid.</summary>
    ArgumentInvalid = 600,
    /// <summary>What a command tells could not be written; what it does was done.</summary>
    OutputFailed,
    /// <summary>The process may have too few files open for the runtime to work.</summary>
    OpenFileLimitLow,

    // Policies.
    /// <summary>There is no such policy on this machine.</summary>
    PolicyNotFound = 700,
    /// <summary>The policy lacks something: sources, a schedule, a retention.</summary>
    PolicyIncomplete,
    /// <summary>The policy contradicts itself: sources that overlap, a source that is excluded itself, a rule that can never hold.</summary>
    PolicyInvalid,
    /// <summary>A value is outside a limit of the profile in force; limit and value are named.</summary>
    PolicyLimitExceeded,
    /// <summary>The policy is paused.</summary>
    PolicyPaused,
    /// <summary>A policy file cannot be read as one.</summary>
    PolicyFileInvalid,

    // This machine.
    /// <summary>The machine is not registered with a vault.</summary>
    MachineNotRegistered = 800,
    /// <summary>The machine is registered, and no passphrase is set.</summary>
    MachineNotActivated,
    /// <summary>The vault knows another machine of this name, whose passphrase is a different one.</summary>
    MachineNameTaken,
    /// <summary>The vault has as many machines as it may have.</summary>
    MachineLimitReached,
    /// <summary>A vault credential file is corrupt, expired, not the newest, or no such file.</summary>
    VaultCredentialInvalid,
    /// <summary>The credential file belongs to another vault than the one that this machine is registered with.</summary>
    VaultCredentialForeign,
    /// <summary>Setting the passphrase did not complete; it says where the rescue file is.</summary>
    ActivationFailed,
    /// <summary>The activation is damaged: the scratch folder or the key file in it is missing or full.</summary>
    ActivationDamaged,
    /// <summary>The key file is missing, damaged, or another machine's.</summary>
    KeyFileInvalid,
    /// <summary>The scratch folder may not be used: why is said.</summary>
    ScratchInvalid,
    /// <summary>The scratch folder's volume has too little room.</summary>
    ScratchFull,
    /// <summary>A state file is truncated, damaged, or of a newer version.</summary>
    StateInvalid,
    /// <summary>The state folder cannot be read or written by this account.</summary>
    StateAccessDenied,

    // Jobs.
    /// <summary>Another job is in progress on this machine.</summary>
    JobInProgress = 900,
    /// <summary>There is no such job.</summary>
    JobNotFound,
    /// <summary>The job's process ended without saying so.</summary>
    JobLost,
    /// <summary>The program for background jobs was not found or could not be started.</summary>
    JobHostMissing,
    /// <summary>The recovery needs an option or a passphrase that was not given.</summary>
    RecoveryOptionMissing,
    /// <summary>Not in this version; the message names what to use instead.</summary>
    NotAvailable,

    // A vault in Blob Storage.
    /// <summary>An object of the vault is archived: it must be rehydrated before it can be read.</summary>
    VaultDataArchived = 1000,
    /// <summary>The storage account is disabled, as it is when its subscription has expired.</summary>
    VaultAccountDisabled,
    /// <summary>The service keeps an object from being deleted: a policy, a lease, or snapshots.</summary>
    VaultDataProtected,
    /// <summary>A setting of the vault that cannot be changed any more.</summary>
    VaultSettingFixed,

    // The way to a vault in the cloud.
    /// <summary>The proxy requires authentication.</summary>
    ProxyAuthenticationRequired = 1020,
    /// <summary>The proxy does not let the vault be reached.</summary>
    ProxyRefused,
    /// <summary>The server speaks no TLS 1.2 or newer, or its certificate is not trusted.</summary>
    SecureConnectionFailed,
    /// <summary>The vault is to be reached over private addresses, and there are public ones only.</summary>
    PublicAddressRefused,

    // Who this machine is to Azure.
    /// <summary>Nothing says who this machine is; what was tried is named.</summary>
    IdentityNotFound = 1040,
    /// <summary>Microsoft Entra ID did not accept the identity.</summary>
    IdentityRejected,
    /// <summary>A connection string, a shared access signature or an account's key cannot be read as one.</summary>
    StorageSecretInvalid,
    /// <summary>The secret is of another storage account than the vault's.</summary>
    StorageSecretForeign,
    /// <summary>The shared access signature has expired; it says when.</summary>
    StorageSecretExpired,

    // Keys in Azure Key Vault.
    /// <summary>The URI is not that of a Key Vault, or of a key in one.</summary>
    KeyVaultUriInvalid = 1080,
    /// <summary>There is no identity to sign in to the Key Vault with, or it was not accepted.</summary>
    KeyVaultIdentityMissing,
    /// <summary>The identity may not do this in the Key Vault.</summary>
    KeyVaultAccessDenied,
    /// <summary>The Key Vault's firewall refuses this machine's address.</summary>
    KeyVaultFirewalled,
    /// <summary>There is no Key Vault of this name: it was deleted, or never there.</summary>
    KeyVaultNotFound,
    /// <summary>The Key Vault does not answer.</summary>
    KeyVaultUnreachable,
    /// <summary>What answers asks for a token of something else than Azure Key Vault; none was sent.</summary>
    KeyVaultUntrusted,
    /// <summary>The Key Vault has no passphrase of this machine.</summary>
    KeyVaultSecretNotFound,
    /// <summary>The secret of this machine's passphrase is deleted, and its name is not free.</summary>
    KeyVaultSecretDeleted,
    /// <summary>The secret is disabled, or reads back otherwise than it was written.</summary>
    KeyVaultSecretUnusable,
    /// <summary>The secret of this name belongs to another machine or vault.</summary>
    KeyVaultSecretForeign,
    /// <summary>The Key Vault has no such key, or no such version of it.</summary>
    KeyVaultKeyNotFound,
    /// <summary>The key is disabled, expired, not yet valid, or not of a kind that wraps.</summary>
    KeyVaultKeyUnusable,
    /// <summary>The Key Vault key opens another chunk store of the same vault.</summary>
    KeyVaultKeyTaken,
    /// <summary>Key slots that one Key Vault key opens lead to different stores or master keys.</summary>
    KeySlotContradicted,

    // What a vault costs.
    /// <summary>A price table cannot be read as one; it says why.</summary>
    PriceTableInvalid = 1120,

    // The owner of a vault.
    /// <summary>Only the vault's owner may do this, and no owner's key was given or is kept here.</summary>
    OwnerRequired = 1160,
    /// <summary>The owner's file is damaged, no owner's file, or cannot be read or written.</summary>
    OwnerFileInvalid,
    /// <summary>The vault's owner is not the one that this machine knows, or not the one whose key was given.</summary>
    OwnerForeign,

    // Maintenance and proofs.
    /// <summary>The maintenance after a backup took too long, and was stopped; the backup is complete.</summary>
    MaintenanceUnfinished = 1240,

    // What protects a vault.
    /// <summary>The vault asks for a security PIN, and none was given, or it is wrong, expired or used.</summary>
    SecurityPinRejected = 1280,
    /// <summary>The vault asks for the approval of another person, and none was given, or it is wrong, expired, used, or for something else.</summary>
    ApprovalRejected,
    /// <summary>The vault is immutable: recovery points stay for their time, and retention is not shortened.</summary>
    VaultImmutable,
    /// <summary>A backup looks as it would after ransomware; it says by which figures.</summary>
    BackupUnusual,
    /// <summary>The retention of a policy was shortened, or points were let go of by it before the time that they were made for.</summary>
    RetentionShortened,
    /// <summary>Many recovery points of a machine were deleted at once.</summary>
    PointsDeletedAtOnce,

    // A machine's name.
    /// <summary>The system calls this machine otherwise than the vault does.</summary>
    MachineNameChanged = 1320,

    // Master keys that rotate.
    /// <summary>What opened the vault leads to a master key that was rotated since: nothing may be written with it.</summary>
    KeyEpochOutdated = 1340,

    // Passphrases of several chunk stores.
    /// <summary>The passphrase opens another chunk store of the vault; none opens two.</summary>
    PassphraseTaken = 1360,

    // Schedules.
    /// <summary>There is no scheduler of the system that could run a schedule.</summary>
    SchedulerUnavailable = 1380,
    /// <summary>The system's scheduler refused a schedule; the policy is saved.</summary>
    ScheduleNotRegistered,
    /// <summary>A backup that a schedule wanted was not made in time, and is not made up for.</summary>
    ScheduleMissed,

    // Snapshots of volumes.
    /// <summary>A backup was to read snapshots only, and a volume gave none.</summary>
    SnapshotUnavailable = 1420,

    // Scripts around snapshots.
    /// <summary>The file that says which scripts are run around snapshots cannot be read as one; it says why.</summary>
    ScriptSettingsInvalid = 1440,
    /// <summary>A script that is to be run around snapshots is not there, or not named.</summary>
    ScriptNotFound,
    /// <summary>A script, or the file that names it, could have been changed by others, and was not run.</summary>
    ScriptUntrusted,
    /// <summary>A script ended with another status than 0, or could not be started.</summary>
    ScriptFailed,
    /// <summary>A script took longer than it may, and was killed.</summary>
    ScriptTimedOut,

    // Which sources are taken.
    /// <summary>The source lies where the profile takes none from: a network share, removable media, …</summary>
    SourceRefused = 1460,
    /// <summary>The source is encrypted and locked.</summary>
    SourceLocked,
    /// <summary>A source was backed up and is probably not what was meant; it says why.</summary>
    SourceDoubtful,
    /// <summary>An item is of a kind that the profile does not take: a link, a file with several names.</summary>
    SourceItemRefused,
    /// <summary>More of the source's volume is to be protected than the profile allows.</summary>
    SourceTooLarge,

    // Versions, and what is installed.
    /// <summary>The vault is written to by newer versions only, as its owner has decided.</summary>
    AgentOutdated = 1500,
    /// <summary>The list of the module's files, or the package that they are to come from, is damaged, or is of another version.</summary>
    PackageInvalid,
    /// <summary>A file of the module cannot be put in the place of a damaged one.</summary>
    ModuleNotRepaired,
    /// <summary>The process has 32 bits, and this runs in one of 64 only.</summary>
    ProcessNot64Bit,
    /// <summary>The module could not be brought to another version; the one that was in use is whole.</summary>
    ModuleNotUpdated,
    /// <summary>The package is older than the version that is installed.</summary>
    PackageOutdated,
    /// <summary>No version is kept that one could go back to.</summary>
    PreviousVersionMissing,
    // What is told of jobs.
    /// <summary>A job's log is incomplete, since it could not be written; the job is none the worse.</summary>
    JobLogIncomplete = 1520,
    /// <summary>The system's log did not take what was told of a job.</summary>
    SystemLogUnwritable,
    /// <summary>The file of figures for Prometheus could not be written.</summary>
    MetricsFileUnwritable,
    // Statuses, and who watches them.
    /// <summary>A monitoring credential is damaged, of another vault, or cannot be read or written.</summary>
    MonitoringCredentialInvalid = 1540,
    /// <summary>A run could not leave its status in the vault; the run is as it is.</summary>
    StatusNotWritten,
    /// <summary>A backup that was expected has not come.</summary>
    BackupLate,
    /// <summary>The last backup failed.</summary>
    BackupFailing,
    /// <summary>There was never a backup.</summary>
    BackupNeverMade,
    /// <summary>The last backup has far less than those before it.</summary>
    BackupShrinking,
    /// <summary>What says where alarms go is damaged or not valid.</summary>
    AlarmSettingsInvalid,
    /// <summary>An alarm could not be delivered to one of the places where alarms go.</summary>
    AlarmNotDelivered,
    // Contact and subscription.
    /// <summary>The subscription that pays for the vault has expired: nothing is backed up.</summary>
    SubscriptionExpired = 1580,
    /// <summary>The subscription that paid for the vault was given up.</summary>
    SubscriptionDeprovisioned,
    /// <summary>This machine has had no contact with its vault for so long that its profile stops backups.</summary>
    VaultContactLost,

    // Recovery points that are shown as files.
    /// <summary>This system cannot mount recovery points as a file system.</summary>
    MountUnavailable = 1600,
    /// <summary>A recovery point cannot be mounted on this folder: it is none, is not empty, or something is mounted on it.</summary>
    MountFolderInvalid,
    /// <summary>A mount cannot be taken off: somebody is in it.</summary>
    MountBusy,
    /// <summary>The system refused to mount, or the process that served a mount ended early.</summary>
    MountFailed,
    /// <summary>Nothing of ours is mounted there.</summary>
    MountNotFound,
    // Drives of PowerShell that show recovery points.
    /// <summary>A drive of recovery points is only read.</summary>
    DriveReadOnly = 1620,

    // Servers of recovery points.
    /// <summary>The port or socket on which a server was to listen is in use.</summary>
    ServerAddressTaken = 1640,
    /// <summary>The port or socket on which a server was to listen cannot be had.</summary>
    ServerAddressRefused,

    // Vaults that another program has.
    /// <summary>The program at the other end of a pipe is missing, of another version, or something else answers.</summary>
    VaultProgramUnusable = 1660,
    /// <summary>The key of the host that has the vault is not the one that is known, or none is.</summary>
    VaultHostUntrusted,

    // Copies of a vault.
    /// <summary>Recovery points were to be copied to a vault that is no twin of theirs.</summary>
    VaultNotTwin = 1670,
    /// <summary>A backup made its recovery point in the vault, but not yet in every twin that it was to go to.</summary>
    CopyIncomplete,

    // Agents on other machines.
    /// <summary>A machine cannot be reached by ssh, or the line was cut.</summary>
    AgentUnreachable = 1680,
    /// <summary>A machine does not let the account log in.</summary>
    AgentAccessDenied,
    /// <summary>No agent can be put on a machine: its system is unknown, a program is missing, or the account has no place for it.</summary>
    AgentMachineUnsuitable,
    /// <summary>A machine has no room for an agent.</summary>
    AgentNoSpace,
    /// <summary>This machine has put no agent there.</summary>
    AgentNotInstalled,
    /// <summary>A version of the agent was not put into use. What was there before still is.</summary>
    AgentNotUpdated,
    /// <summary>The agent of a machine and the machine that gives it orders are of versions that do not understand each other.</summary>
    AgentVersionDiffers,
    /// <summary>The agent of a machine ended before it had told how its job went.</summary>
    RemoteJobLost,
    /// <summary>The agent of a machine says that it has made a recovery point, and the vault has none.</summary>
    RemotePointMissing,

    // Workloads: databases with a log.
    /// <summary>The database server does not answer where it was looked for.</summary>
    WorkloadUnreachable = 1740,
    /// <summary>The role, or this account, may not do what a backup of the database server needs.</summary>
    WorkloadAccessDenied,
    /// <summary>The database server is set, or of a version, such that it cannot be backed up in this way.</summary>
    WorkloadUnfit,
    /// <summary>A program of the database server's is missing on this machine, or is of an older version than the server.</summary>
    WorkloadProgramUnusable,
    /// <summary>A command to the database server failed for another reason.</summary>
    WorkloadCommandFailed,
    /// <summary>A file of the database server could not be read: there is no full backup without it.</summary>
    WorkloadFileUnreadable,
    /// <summary>The log since the last backup cannot be had without a gap; the backup is full instead.</summary>
    WorkloadLogGap,
    /// <summary>The vault has no recoverable backup of a workload of this name.</summary>
    WorkloadNotFound,
    /// <summary>The time lies in none of the windows to which the workload can be recovered.</summary>
    WorkloadTimeOutside,
    /// <summary>The folder that a workload was to be recovered into is not empty.</summary>
    WorkloadTargetNotEmpty,
    /// <summary>What was recovered of a workload is not whole: something that its recovery needs is not there.</summary>
    WorkloadIncomplete,
    /// <summary>A program that makes a workload of what was restored has failed.</summary>
    WorkloadRecoveryFailed,

    // Protection groups: machines that a server backs up as one.
    /// <summary>There is no protection group of this name.</summary>
    GroupNotFound = 1780,
    /// <summary>There is a protection group of this name already.</summary>
    GroupExists,
    /// <summary>A machine is in another protection group already.</summary>
    GroupMachineTaken,
    /// <summary>A machine of a protection group goes to another disk vault than the one that has its points, or to one that has little room left.</summary>
    PoolOverflow,

    // Disks and what is on them.
    /// <summary>A file system, partition table or image on a disk contradicts itself: what is asked for cannot be read from it.</summary>
    VolumeCorrupt = 1800,
    /// <summary>What is on a disk, or this file of it, is of a kind that is not read: encrypted, striped, of a later version.</summary>
    VolumeUnsupported,
    /// <summary>A disk has no such partition, or its file system no such item.</summary>
    VolumeItemNotFound,
    /// <summary>A file system on a disk was in use when its bytes were taken, and its log is not read: what is shown of it may be old or not all.</summary>
    VolumeInUse,

    // Virtual machines.
    /// <summary>The monitor, an export or the guest agent of a virtual machine cannot be reached, or the connection broke.</summary>
    VirtualMachineUnreachable = 1820,
    /// <summary>Somebody else holds the monitor of a virtual machine, or backs it up.</summary>
    VirtualMachineBusy,
    /// <summary>A virtual machine monitor refused a command.</summary>
    VirtualMachineCommandFailed,
    /// <summary>A virtual machine, or a disk of it, cannot be backed up as it was asked for.</summary>
    VirtualMachineUnfit,
    /// <summary>A program that reads or writes images of disks is not there, or failed.</summary>
    VirtualMachineProgramUnusable,
    /// <summary>The file systems of a guest could not be held still.</summary>
    GuestNotFrozen,
    /// <summary>The file systems of a guest were held still, and it is not known that they are let go.</summary>
    GuestNotThawed,

    /// <summary>A policy has no virtual machine of a name.</summary>
    VirtualMachineNotInPolicy = 1830,

    // Restores of virtual machines.
    /// <summary>A recovery point is of no virtual machine, or has not what is to be restored of one.</summary>
    MachinePointUnfit = 1835,
    /// <summary>A file that a restore of a virtual machine writes is there already, and is not to be replaced.</summary>
    MachineTargetTaken,
    /// <summary>The image of a disk is to be replaced, and a machine that runs has it.</summary>
    MachineNotOff,
    /// <summary>A disk is to be put back that was not replaced.</summary>
    DiskNotReplaced,
    // Machines that run from recovery points.
    /// <summary>A machine that runs from a recovery point has ended before its images had all.</summary>
    InstantMachineEnded = 1840,
    /// <summary>A disk of a machine that runs from a recovery point has parts that the vault does not give.</summary>
    InstantDiskIncomplete,
    /// <summary>A machine that runs from a recovery point stands still, since a disk could not be read or written.</summary>
    InstantMachineWaits,

    // Virtual machines in a cloud.
    /// <summary>Azure does not allow this machine's identity what a backup or a restore of a virtual machine needs.</summary>
    VirtualMachineAccessDenied = 1850,
    /// <summary>There is no virtual machine, disk or moment of one at an address in Azure.</summary>
    VirtualMachineNotFound,
    /// <summary>There is a disk in Azure already where one was to be restored to.</summary>
    VirtualDiskExists,
}
