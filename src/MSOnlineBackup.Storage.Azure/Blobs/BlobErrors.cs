using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs.Models;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>The one place where what Blob Storage, or the way to it, says becomes an error of the vault.</summary>
internal static class BlobErrors
{
    private const string Rerun = "then rerun the job: what had arrived is used";

    /// <summary>Whether an exception is to become an error: everything but a stop that was asked for, and bugs.</summary>
    public static bool IsFailure(Exception failure, CancellationToken stop) => failure switch
    {
        OperationCanceledException => !stop.IsCancellationRequested,
        RequestFailedException or IOException or HttpRequestException or SocketException or AuthenticationException or AuthenticationFailedException or AggregateException => true,
        _ => false,
    };

    /// <summary>Whether a create was refused because the name exists. Who may create and not overwrite is told so as a missing permission.</summary>
    public static bool SaysThatItExists(RequestFailedException failure) =>
        failure.ErrorCode == BlobErrorCode.BlobAlreadyExists
        || failure.ErrorCode == BlobErrorCode.UnauthorizedBlobOverwrite
        || failure.ErrorCode == BlobErrorCode.BlobImmutableDueToPolicy
        || (failure.Status == (int)HttpStatusCode.PreconditionFailed && (failure.ErrorCode == BlobErrorCode.ConditionNotMet || failure.ErrorCode == BlobErrorCode.TargetConditionNotMet));

    /// <summary>Whether there is no such object; that there is no such container is another thing.</summary>
    public static bool SaysThatItIsAbsent(RequestFailedException failure) =>
        failure.Status == (int)HttpStatusCode.NotFound && (failure.ErrorCode is null || failure.ErrorCode == BlobErrorCode.BlobNotFound);

    public static BackupException Missing(string location, string name, Exception cause) => new(
        BackupErrorId.VaultDataMissing,
        $"The vault '{location}' has no object '{name}'.",
        "Verify the vault to learn what is affected. If blobs were deleted, restore them: soft delete keeps them for a while.",
        name,
        innerException: cause);

    /// <summary>The error for a failure of a call on a vault.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="location">The vault's location.</param>
    /// <param name="name">The object, or the prefix that was listed; empty for the vault as a whole.</param>
    public static BackupException From(Exception failure, string location, string name)
    {
        // What the transport itself found out says more than what the layers above made of it.
        for (Exception? inner = failure; inner is not null; inner = inner.InnerException)
        {
            if (inner is BackupException known)
            {
                return known;
            }
        }

        return new BackupException(BackupErrorId.VaultUnreachable, failure.Message, Rerun, name, transient: true, innerException: failure);
    }
}
