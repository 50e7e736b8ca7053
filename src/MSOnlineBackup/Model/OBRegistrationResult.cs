namespace MSOnlineBackup;

/// <summary>What this machine is registered with.</summary>
public sealed class OBRegistrationResult
{
    /// <summary>The certificate's thumbprint; empty where a credential file was used.</summary>
    public string CertThumbprint { get; internal init; } = "";

    /// <summary>The vault's id.</summary>
    public string SubscriptionID { get; internal init; } = "";

    /// <summary>The vault's name.</summary>
    public string ServiceResourceName { get; internal init; } = "";

    /// <summary>Where the vault is.</summary>
    public string Region { get; internal init; } = "";
}
