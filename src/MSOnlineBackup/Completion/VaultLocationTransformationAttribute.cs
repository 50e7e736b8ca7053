using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes vaults where their folders are asked for.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class VaultLocationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) => (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
    {
        OBVault vault => vault.Location,
        object?[] vaults => Array.ConvertAll(vaults, vault => Transform(engineIntrinsics, vault)),
        _ => inputData,
    };
}
