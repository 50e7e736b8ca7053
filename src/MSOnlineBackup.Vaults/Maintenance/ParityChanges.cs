namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a maintenance run did about parity.</summary>
/// <param name="BytesWritten">Bytes of parity that were written.</param>
/// <param name="PacksProtected">Packs that parity protects.</param>
/// <param name="PacksUnprotected">Packs that parity is to protect, and that this run had not the time, the space or the sound data for.</param>
public sealed record ParityChanges(long BytesWritten, int PacksProtected, int PacksUnprotected)
{
    /// <summary>Nothing: nobody wants parity.</summary>
    public static ParityChanges None { get; } = new(0, 0, 0);
}
