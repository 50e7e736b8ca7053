using System.Management.Automation;

namespace MSOnlineBackup.Completion;

/// <summary>Takes a job's id where a job is asked for. Whether there is such a job, the cmdlet finds out.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class JobTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? given = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return given switch
        {
            Guid id => new OBJob { JobId = id },
            string text when Guid.TryParse(text, out Guid id) => new OBJob { JobId = id },
            _ => inputData,
        };
    }
}
