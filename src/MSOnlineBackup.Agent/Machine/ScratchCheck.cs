using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>Whether the scratch folder's volume has the room that the original asks for: 5 % of the protected data at least, 10 % better.</summary>
/// <param name="Folder">The scratch folder.</param>
/// <param name="FreeBytes">What is free on its volume.</param>
/// <param name="ProtectedBytes">How much is protected.</param>
public sealed record ScratchCheck(string Folder, long FreeBytes, long ProtectedBytes)
{
    /// <summary>Below this, backups are refused: 5 % of what is protected, rounded up.</summary>
    public long RequiredBytes => (ProtectedBytes / 20) + (ProtectedBytes % 20 > 0 ? 1 : 0);

    /// <summary>Below this, a warning is due: 10 % of what is protected, rounded up.</summary>
    public long RecommendedBytes => (ProtectedBytes / 10) + (ProtectedBytes % 10 > 0 ? 1 : 0);

    /// <summary>Whether there is less than must be.</summary>
    public bool IsFull => FreeBytes < RequiredBytes;

    /// <summary>Whether there is less than should be.</summary>
    public bool IsLow => FreeBytes < RecommendedBytes;

    /// <summary>What to say where there is less than should be; null where there is enough.</summary>
    public BackupException? FindWarning() => !IsLow ? null : Fault(
        $"The volume of the scratch folder '{Folder}' has {FreeBytes:N0} bytes free; {RecommendedBytes:N0} are recommended, "
            + $"10 % of the {ProtectedBytes:N0} bytes to be protected. Below 5 % backups are refused.");

    /// <summary>Refuses where there is less than must be.</summary>
    /// <exception cref="BackupException">ScratchFull.</exception>
    public void ThrowIfFull()
    {
        if (IsFull)
        {
            throw Fault(
                $"The volume of the scratch folder '{Folder}' has {FreeBytes:N0} bytes free; at least {RequiredBytes:N0} are required, "
                    + $"5 % of the {ProtectedBytes:N0} bytes to be protected.");
        }
    }

    private BackupException Fault(string message) => new(
        BackupErrorId.ScratchFull, message, "Free up space on the volume, or move the scratch folder to another volume with Move-OBScratch.", Folder, errorCode: "SalLowDiskSpace");
}
