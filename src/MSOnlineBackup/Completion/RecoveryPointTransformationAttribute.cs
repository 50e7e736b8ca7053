using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes a recovery point of the list of all, or a point's id or time as text, where an item is asked for. Whether there is such a point, the cmdlet finds out.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class RecoveryPointTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return given switch
        {
            OBBackupInfo point => new OBRecoverableItem { RecoveryPointId = point.RecoveryPointId, PointInTime = point.BackupTime, IsDir = true, IsWholePoint = true },
            string { Length: > 0 } idOrTime => new OBRecoverableItem { RecoveryPointId = idOrTime, IsDir = true, IsWholePoint = true },
            _ => inputData,
        };
    }
}
