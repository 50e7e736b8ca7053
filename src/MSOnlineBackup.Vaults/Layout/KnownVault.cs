using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Layout;

/// <summary>A vault of which the header is known: what everything needs that reads or writes its objects.</summary>
/// <param name="Objects">Its objects.</param>
/// <param name="Header">What says which vault it is.</param>
/// <param name="Options">The clock, and how keys are treated.</param>
internal sealed record KnownVault(IVaultStore Objects, VaultHeader Header, VaultOptions Options)
{
    /// <summary>Its id: 32 hexadecimal digits.</summary>
    public string VaultId => Header.VaultId;

    /// <summary>The folder or URL.</summary>
    public string Location => Objects.Location;

    public TimeProvider Clock => Options.TimeProvider;
}
