using MSOnlineBackup.Agent.Mounting;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the agent knows of mounts to what scripts see.</summary>
internal static class MountConversion
{
    /// <summary>A mount as scripts see it.</summary>
    public static OBRecoveryMount ToOutput(this RecoveryMount mount) => new()
    {
        Id = mount.Id,
        Path = mount.Folder,
        RecoveryPointId = mount.PointId,
        RecoveryPointLocalTime = mount.PointTime?.LocalDateTime,
        ServerName = mount.MachineName,
        VaultLocation = mount.VaultLocation,
        IsWritable = mount.IsWritable,
        IsPinned = mount.IsPinned,
        ProcessId = mount.ProcessId,
        StartTime = mount.Started.LocalDateTime,
        LastUsed = mount.LastUsed.LocalDateTime,
        Expires = mount.Expires.LocalDateTime,
        Troubles = mount.Troubles,
        LastTrouble = mount.LastTrouble,
    };
}
