namespace MSOnlineBackup;

/// <summary>A vault that a certificate gives access to.</summary>
public sealed class OBServiceResource
{
    /// <summary>The vault's name.</summary>
    public string ServiceResourceName { get; internal init; } = "";

    /// <summary>Where it is.</summary>
    public string Location { get; internal init; } = "";

    /// <summary>The credential file by which machines register with it.</summary>
    internal string CredentialFile { get; init; } = "";

    /// <summary>The certificate by which it was found.</summary>
    internal string CertThumbprint { get; init; } = "";

    /// <summary>The name.</summary>
    public override string ToString() => ServiceResourceName;
}
