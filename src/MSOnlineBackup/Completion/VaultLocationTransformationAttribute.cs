using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes a vault where its folder is asked for.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class VaultLocationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is OBVault vault ? vault.Location : inputData;
}
