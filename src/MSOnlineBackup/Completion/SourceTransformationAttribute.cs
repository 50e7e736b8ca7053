using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes the path of a source of this machine where a source is asked for.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SourceTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is string { Length: > 0 } path
            ? new OBRecoverableSource { FriendlyName = path, RecoverySourceName = path }
            : inputData;
}
