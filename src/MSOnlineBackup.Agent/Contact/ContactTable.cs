using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Agent.Contact;

/// <summary>What a job does, and where its vault is: "disk" is a folder, "cloud" everything else.</summary>
public enum VaultOperation
{
    /// <summary>A backup to a vault in a cloud.</summary>
    BackUpToCloud,

    /// <summary>A backup to a vault in a folder.</summary>
    BackUpToDisk,

    /// <summary>A recovery from a vault in a cloud.</summary>
    RestoreFromCloud,

    /// <summary>A recovery from a vault in a folder.</summary>
    RestoreFromDisk,
}

/// <summary>What becomes of an operation.</summary>
public enum ContactVerdict
{
    /// <summary>It runs.</summary>
    Allow,

    /// <summary>It is tried, and somebody is told.</summary>
    Warn,

    /// <summary>It is refused, before it begins.</summary>
    Stop,
}

/// <summary>
/// Which operations are allowed, by how long the vault has been silent and how its subscription stands: the original's table (profile Mars), and ours (Open). A pure function.
/// "Allow" means that the agent is not in the way; a vault that is silent still cannot be read.
/// </summary>
public static class ContactTable
{
    /// <summary>Contact is lost when it was longer ago than this; exactly this long, it is not yet.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(15);

    /// <summary>Whether contact is lost.</summary>
    /// <param name="last">When the vault answered last, by the machine's clock. A time in the future is no loss: a clock was put right.</param>
    /// <param name="now">The time by the same clock.</param>
    public static bool IsLost(DateTimeOffset last, DateTimeOffset now) => now - last > Patience;

    /// <summary>The operation of a job.</summary>
    /// <param name="isBackup">Whether it is a backup.</param>
    /// <param name="isRemote">Whether the vault is in a cloud.</param>
    public static VaultOperation OperationOf(bool isBackup, bool isRemote) => (isBackup, isRemote) switch
    {
        (true, true) => VaultOperation.BackUpToCloud,
        (true, false) => VaultOperation.BackUpToDisk,
        (false, true) => VaultOperation.RestoreFromCloud,
        (false, false) => VaultOperation.RestoreFromDisk,
    };

    /// <summary>What becomes of an operation.</summary>
    /// <param name="profile">What this machine is held to.</param>
    /// <param name="isLost">Whether contact is lost.</param>
    /// <param name="subscription">How the subscription stands, as far as is known.</param>
    /// <param name="operation">The operation.</param>
    public static ContactVerdict Decide(PolicyLimits profile, bool isLost, VaultSubscription subscription, VaultOperation operation)
    {
        bool isMars = profile == PolicyLimits.Mars;
        return operation is VaultOperation.RestoreFromCloud or VaultOperation.RestoreFromDisk
            ? isMars && subscription == VaultSubscription.Deprovisioned ? ContactVerdict.Stop : ContactVerdict.Allow
            : subscription != VaultSubscription.Active ? ContactVerdict.Stop
            : !isLost ? ContactVerdict.Allow
            : isMars ? ContactVerdict.Stop : ContactVerdict.Warn;
    }
}
