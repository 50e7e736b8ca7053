namespace MSOnlineBackup.Agent.Access;

/// <summary>How an owner's key is come by that this machine does not keep.</summary>
/// <param name="File">The owner's file.</param>
/// <param name="Passphrase">The passphrase that opens it.</param>
public sealed record OwnerAccess(string File, string Passphrase)
{
    /// <summary>The file; never the passphrase.</summary>
    public override string ToString() => File;
}
