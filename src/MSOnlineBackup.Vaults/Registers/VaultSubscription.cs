using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>How the subscription stands that pays for a vault.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VaultSubscription>))]
public enum VaultSubscription
{
    /// <summary>It is paid for.</summary>
    Active,

    /// <summary>It has expired, or is suspended: nothing is backed up.</summary>
    Expired,

    /// <summary>It was given up: nothing is backed up, and its cloud may delete what is there.</summary>
    Deprovisioned,
}

/// <summary>What a subscription that is not active means for a job.</summary>
public static class SubscriptionErrors
{
    /// <summary>Why nothing is backed up to a vault; null where it is.</summary>
    /// <param name="subscription">How the subscription stands.</param>
    /// <param name="location">The vault's location.</param>
    /// <param name="cause">What the storage answered, where that is how it is known; null where the vault's owner has set it.</param>
    public static BackupException? OfBackup(VaultSubscription subscription, string location, BackupException? cause = null) => subscription switch
    {
        VaultSubscription.Active => null,
        VaultSubscription.Expired => new BackupException(
            BackupErrorId.SubscriptionExpired,
            cause is null
                ? $"Nothing is backed up to the vault '{location}': its owner has set that the subscription has expired."
                : $"Nothing is backed up to the vault '{location}': its subscription has expired. {cause.Message}",
            $"{(cause is null ? "Renew it, then set the vault to Active: 'Set-OBVault -State Active' or 'obengine vault settings --state Active'." : cause.RecommendedAction)} "
                + "Then backups go on as scheduled, from the last recovery point. The agent keeps nobody from restoring meanwhile.",
            location,
            innerException: cause),
        _ => Deprovisioned(
            $"Nothing is backed up to the vault '{location}': its owner has set that the subscription was given up (Deprovisioned).",
            "Back up to another vault: leave this one (Unregister-OBMachine), and register with that one (Start-OBRegistration); the policies stay. To use this one again, its owner sets it to Active: 'Set-OBVault -State Active'.",
            location),
    };

    /// <summary>Why nothing is restored from a vault whose subscription was given up, in a profile that says so.</summary>
    /// <param name="location">The vault's location.</param>
    /// <param name="canForce">Whether it can be restored from all the same, by who insists.</param>
    public static BackupException OfRestore(string location, bool canForce) => Deprovisioned(
        $"Nothing is restored from the vault '{location}': its owner has set that the subscription was given up (Deprovisioned), and the profile Mars stops restores then.",
        canForce
            ? "The vault is a folder, and what is in it can be restored all the same: 'Start-OBRecovery -Force', or 'obengine restore'."
            : "The vault's owner can set it to Active: 'Set-OBVault -State Active'. 'obengine restore', and the profile Open, restore what is still there.",
        location);

    private static BackupException Deprovisioned(string message, string action, string location) => new(BackupErrorId.SubscriptionDeprovisioned, message, action, location);
}
