using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>What destroys, or takes away what protects from that: a vault may ask for a security PIN or an approval before it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GuardedOperation>))]
public enum GuardedOperation
{
    /// <summary>Recovery points are deleted by hand: some, all that a policy has made, or all of a machine. What retention lets go of is not meant.</summary>
    DeletePoints,

    /// <summary>A policy is to keep recovery points for a shorter time.</summary>
    ShortenRetention,

    /// <summary>A passphrase is replaced.</summary>
    ChangePassphrase,

    /// <summary>A key slot is removed.</summary>
    RemoveKey,

    /// <summary>The vault's settings are to protect less than they do (each of them says what that is), or a brake is released. That takes the owner's key, which is more than a PIN.</summary>
    ChangeProtection,
}
