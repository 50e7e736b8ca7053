namespace MSOnlineBackup;

/// <summary>A certificate of the user's or the machine's store by which vaults may be found.</summary>
public sealed class OBCertificate
{
    /// <summary>SHA-1 of the certificate, 40 hexadecimal digits.</summary>
    public string Thumbprint { get; internal init; } = "";

    /// <summary>Whom it names.</summary>
    public string Subject { get; internal init; } = "";

    /// <summary>Who vouches for it.</summary>
    public string Issuer { get; internal init; } = "";

    /// <summary>From when on it holds.</summary>
    public DateTime NotBefore { get; internal init; }

    /// <summary>Until when it holds.</summary>
    public DateTime NotAfter { get; internal init; }

    /// <summary>Whom it names.</summary>
    public override string ToString() => Subject;
}
