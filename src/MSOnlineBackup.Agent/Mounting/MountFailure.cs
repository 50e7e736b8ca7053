using System.Text.Json;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>Why a mount did not come about, from the process that was to serve it to the one that ordered it.</summary>
internal static class MountFailure
{
    /// <summary>As JSON.</summary>
    public static byte[] Encode(BackupException failure) => JsonSerializer.SerializeToUtf8Bytes(JobError.Of(failure), JobJson.Default.JobError);

    /// <summary>Reads what <see cref="Encode"/> wrote; null where it is something else.</summary>
    public static BackupException? Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, JobJson.Default.JobError) is { Message: { Length: > 0 } message, RecommendedAction: { Length: > 0 } action } error
                ? new BackupException(Enum.TryParse(error.Id, out BackupErrorId id) ? id : BackupErrorId.MountFailed, message, action, error.Target)
                : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
