using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>What can be wrong with what is on a disk, told by readers that do not know where it is; <see cref="PlacedVolume"/> adds that.</summary>
internal static class VolumeFault
{
    /// <summary>It contradicts itself.</summary>
    /// <param name="what">What is read: "NTFS volume".</param>
    /// <param name="how">What is wrong, as the end of a sentence: "record 35 is free".</param>
    /// <param name="target">The thing by its name, where it has one and that says where it is.</param>
    public static BackupException Corrupt(string what, string how, string? target = null) => new(
        BackupErrorId.VolumeCorrupt,
        $"The {what} is damaged: {how}.",
        "Restore the whole disk and let the file system's own program repair it, or take another recovery point.",
        target);

    /// <summary>It is of a kind that is not read.</summary>
    /// <param name="what">What is read.</param>
    /// <param name="why">What it is, as the end of a sentence: "a file is encrypted".</param>
    /// <param name="target">The thing by its name, where it has one and that says where it is.</param>
    public static BackupException Unsupported(string what, string why, string? target = null) => new(
        BackupErrorId.VolumeUnsupported,
        $"The {what} is not read: {why}.",
        "Restore the whole disk and open it with its system.",
        target);

    /// <summary>The same, with where it is.</summary>
    /// <param name="fault">One of these; any other error stays what it is.</param>
    /// <param name="place">"partition 2", "the disk".</param>
    public static BackupException At(BackupException fault, string place) => fault is { Id: BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported, Target: null }
        ? new BackupException(fault.Id, $"{fault.Message.TrimEnd('.')} ({place}).", fault.RecommendedAction, place, innerException: fault)
        : fault;
}
