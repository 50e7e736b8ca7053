using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Xml;
using Azure;
using Azure.Storage.Blobs.Models;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>The one place where what Blob Storage answers becomes an error of the vault. What happens on the way to it is the transport's to tell.</summary>
internal static class BlobErrors
{
    private const string OutOfTime = "Signature not valid in the specified time frame";

    // By Azurite this is an AuthorizationFailure too, which in Azure is the firewall's.
    private const string NotAuthenticated = "Server failed to authenticate the request";

    // What Blob Storage says, and the client has no name for.
    private const string AccountRequiresHttps = "AccountRequiresHttps";
    private const string Crc64Mismatch = "Crc64Mismatch";
    private const string KeyNotPermitted = "KeyBasedAuthenticationNotPermitted";
    private const string PublicAccessNotPermitted = "PublicAccessNotPermitted";

    /// <summary>
    /// Whether an exception is to become an error: what the client, the transport and a broken answer throw, and not a stop that was asked for.
    /// </summary>
    public static bool IsFailure(Exception failure, CancellationToken stop) => failure switch
    {
        OperationCanceledException => !stop.IsCancellationRequested,
        _ when TransportErrors.IsMissingAssembly(failure) => false,
        RequestFailedException or IOException or HttpRequestException or SocketException or AuthenticationException or XmlException or AggregateException =>
            true,
        _ => false,
    };

    /// <summary>Whether a create was refused because the name exists. Who may create, and not overwrite, is told so as a missing permission.</summary>
    public static bool SaysThatItExists(RequestFailedException failure) =>
        Is(failure, BlobErrorCode.BlobAlreadyExists)
        || Is(failure, BlobErrorCode.UnauthorizedBlobOverwrite)
        || Is(failure, BlobErrorCode.BlobImmutableDueToPolicy)
        || Is(failure, BlobErrorCode.BlobArchived)
        || failure.Status == (int)HttpStatusCode.PreconditionFailed;

    /// <summary>Whether there is no such object; that there is no such container is another thing.</summary>
    public static bool SaysThatItIsAbsent(RequestFailedException failure) =>
        failure.Status == (int)HttpStatusCode.NotFound && (failure.ErrorCode is null || Is(failure, BlobErrorCode.BlobNotFound));

    /// <summary>Whether a call was refused to whoever made it.</summary>
    public static bool SaysThatItIsDenied(RequestFailedException failure) => failure.Status == (int)HttpStatusCode.Forbidden;

    /// <summary>Whether it says just this. Answers of others than the service, a gateway's for example, have no code.</summary>
    public static bool Is(RequestFailedException failure, BlobErrorCode code) => failure.ErrorCode is { } given && given == code;

    public static BackupException Missing(string location, string name, Exception cause) => new(
        BackupErrorId.VaultDataMissing,
        $"The vault '{location}' has no object '{name}'.",
        "Verify the vault to learn what is affected. If blobs were deleted, bring them back: soft delete and versions keep them for a while.",
        name,
        innerException: cause);

    /// <summary>The error for a failure of a call on a vault.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="location">The vault's location.</param>
    /// <param name="name">The object, or the prefix that was listed; empty for the vault as a whole.</param>
    public static BackupException From(Exception failure, string location, string name) =>
        TransportErrors.Find(failure, HostOf(location))
        ?? (failure is RequestFailedException { Status: not 0 } answer ? FromAnswer(answer, location, name) : Broken(failure, location, name));

    private static BackupException FromAnswer(RequestFailedException answer, string location, string name)
    {
        string subject = name.Length == 0 ? $"the vault '{location}'" : $"'{name}' in the vault '{location}'";
        string said = $"HTTP {answer.Status}{(answer.ErrorCode is { } given ? " " + given : null)}";
        return answer switch
        {
            _ when Is(answer, BlobErrorCode.AccountIsDisabled) => OfContainer(
                BackupErrorId.VaultAccountDisabled,
                $"The storage account of the vault '{location}' is disabled ({said}).",
                "Renew the subscription, or have the account enabled again. Nothing of the vault is lost until Azure deletes the subscription's data."),
            _ when Is(answer, BlobErrorCode.ContainerNotFound) || Is(answer, BlobErrorCode.ResourceNotFound) => OfContainer(
                BackupErrorId.VaultNotFound,
                $"There is no container '{location}' ({said}).",
                "Check the URL. To start a new vault there, create it first; a container that was deleted can be restored in the portal for a while."),
            _ when Is(answer, BlobErrorCode.BlobNotFound) => Missing(location, name, answer),
            _ when Is(answer, BlobErrorCode.ContainerBeingDeleted) || Is(answer, BlobErrorCode.AccountBeingCreated) => OfContainer(
                BackupErrorId.VaultUnreachable,
                $"The container '{location}' is being deleted, or its account is only being created ({said}).",
                "Wait a minute and try again.",
                transient: true),
            _ when Is(answer, BlobErrorCode.BlobArchived) || Is(answer, BlobErrorCode.BlobBeingRehydrated) => Error(
                BackupErrorId.VaultDataArchived,
                $"A part of {subject} is in the Archive tier and cannot be read "
                    + $"{(Is(answer, BlobErrorCode.BlobBeingRehydrated) ? "yet: it is being rehydrated" : "there")} ({said}).",
                $"Rehydrate the vault with 'obengine vault rehydrate {location}' or 'Start-OBRehydration {location}', "
                    + "and run the job again when that has ended: it takes up to 15 hours."),
            _ when IsProtection(answer) => Error(
                BackupErrorId.VaultDataProtected,
                $"Azure keeps {subject} from being deleted or changed ({said}).",
                "Nothing needs to be done: it can be deleted when the immutability policy, the legal hold or the lease on it has ended, "
                    + "or its snapshots are gone."),
            _ when Is(answer, AccountRequiresHttps) || Is(answer, BlobErrorCode.AuthorizationProtocolMismatch) => OfContainer(
                BackupErrorId.ArgumentInvalid,
                $"The storage account of the vault '{location}' cannot be reached over plain HTTP ({said}).",
                "Give the vault's URL with https."),
            _ when Is(answer, Crc64Mismatch) || Is(answer, BlobErrorCode.Md5Mismatch) => Error(
                BackupErrorId.VaultUnreachable,
                $"What was sent as {subject} arrived damaged, and was not taken ({said}).",
                "Check this machine's memory and network, and run the job again: what has arrived is used.",
                transient: true),
            _ when answer.Status is 401 or 403 => Error(
                BackupErrorId.VaultAccessDenied,
                $"Access to {subject} is denied ({said}): {Denial(answer)}",
                DenialAction(answer),

                // A token that has just expired; the next request brings another.
                transient: answer.Status == 401 && Is(answer, BlobErrorCode.InvalidAuthenticationInfo)),
            _ when answer.Status is 404 => OfContainer(
                BackupErrorId.VaultNotFound,
                $"There is no container '{location}' ({said}).",
                "Check the URL."),
            _ when answer.Status is 408 or 429 or 500 or 502 or 503 or 504 => Error(
                BackupErrorId.VaultUnreachable,
                $"Azure cannot serve {subject} at the moment ({said}).",
                "Run the job again: what has arrived is used. If this lasts, look at Azure's status page, and at the account's limits.",
                transient: true),
            _ when Is(answer, BlobErrorCode.InvalidResourceName) || Is(answer, BlobErrorCode.OutOfRangeInput) => OfContainer(
                BackupErrorId.ArgumentInvalid,
                $"'{location}' cannot be the URL of a container ({said}).",
                "Name a container with 3 to 63 lower-case letters, digits and single hyphens."),
            _ when answer.Status is 507 => Error(
                BackupErrorId.VaultFull,
                $"The storage account takes no more for {subject} ({said}).",
                "Raise the account's capacity limit, or use a vault in another account."),
            _ => Error(
                BackupErrorId.VaultUnreachable,
                $"Azure refuses a request for {subject} ({said}).",
                "Check that the URL is that of a container in a general-purpose v2 storage account without hierarchical namespace."),
        };

        BackupException Error(BackupErrorId id, string message, string action, bool transient = false) =>
            About(name.Length == 0 ? location : name, id, message, action, transient);

        // Whatever of it was asked for.
        BackupException OfContainer(BackupErrorId id, string message, string action, bool transient = false) => About(location, id, message, action, transient);

        BackupException About(string target, BackupErrorId id, string message, string action, bool transient) =>
            new(id, message, action, target, transient, answer, retryAfter: transient ? RetryAfter(answer) : null);
    }

    private static string? HostOf(string location) => Uri.TryCreate(location, UriKind.Absolute, out Uri? url) ? url.IdnHost : null;

    private static bool IsProtection(RequestFailedException answer) =>
        Is(answer, BlobErrorCode.BlobImmutableDueToPolicy) || Is(answer, BlobErrorCode.SnapshotsPresent) || Is(answer, BlobErrorCode.LeaseIdMissing);

    private static string Denial(RequestFailedException answer) => answer.ErrorCode switch
    {
        _ when IsMissingRight(answer) => "the identity lacks the role, or the signature the permission.",
        _ when IsNetworkRule(answer) => "the account's firewall does not let this machine's address pass, or the signature is for other addresses.",
        KeyNotPermitted => "the account does not allow its keys, nor signatures made with them, to be used.",
        PublicAccessNotPermitted => "the request was anonymous, and the account does not serve anonymous requests.",
        _ => Detail(answer) is { } detail ? $"{detail}." : "the key, signature or token is not accepted.",
    };

    private static string DenialAction(RequestFailedException answer) => answer.ErrorCode switch
    {
        _ when IsMissingRight(answer) =>
            "Give the identity the role for what it does and no more: a machine needs one that may read and add, "
                + "but not delete (docs/operations.md has the roles; they take up to ten minutes to hold). "
                + "Or use a signature with the permissions read, add, create and list.",
        _ when IsNetworkRule(answer) =>
            "In the account's network settings allow this machine's public address, its subnet by a service endpoint, or a private endpoint.",
        KeyNotPermitted => "Use an identity of Microsoft Entra ID, or a user delegation signature.",
        _ => "Check that this machine's clock is right to within 15 minutes, that a signature has not expired, and that a key has not been rotated.",
    };

    private static bool IsMissingRight(RequestFailedException answer) =>
        Is(answer, BlobErrorCode.AuthorizationPermissionMismatch)
        || Is(answer, BlobErrorCode.AuthorizationResourceTypeMismatch)
        || Is(answer, BlobErrorCode.AuthorizationServiceMismatch)
        || Is(answer, BlobErrorCode.InsufficientAccountPermissions)
        || Is(answer, BlobErrorCode.UnauthorizedBlobOverwrite);

    private static bool IsNetworkRule(RequestFailedException answer) =>
        Is(answer, BlobErrorCode.AuthorizationSourceIPMismatch)
        || (Is(answer, BlobErrorCode.AuthorizationFailure) && !answer.Message.StartsWith(NotAuthenticated, StringComparison.Ordinal));

    // Other details repeat what was signed.
    private static string? Detail(RequestFailedException answer) =>
        answer.Data["AuthenticationErrorDetail"] is string detail
            && detail.StartsWith(OutOfTime, StringComparison.Ordinal) ? detail.TrimEnd('.', ' ', '\n') : null;

    /// <summary>For how long the service asks to be left alone; an hour by a date is told by its own clock.</summary>
    private static TimeSpan? RetryAfter(RequestFailedException answer)
    {
        if (answer.GetRawResponse() is not { } response || !response.Headers.TryGetValue("Retry-After", out string? text))
        {
            return null;
        }

        TimeSpan? wait = !RetryConditionHeaderValue.TryParse(text, out RetryConditionHeaderValue? after) ? null
            : after.Delta ?? (response.Headers.Date is { } now ? after.Date - now : null);
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static BackupException Broken(Exception failure, string location, string name) => new(
        BackupErrorId.VaultUnreachable,
        string.Create(
            CultureInfo.InvariantCulture,
            $"A call on {(name.Length == 0 ? "the vault" : $"'{name}' in the vault")} '{location}' broke off: {failure.Message.TrimEnd('.')}."),
        "Check the network between this machine and the vault, and run the job again: what has arrived is used.",
        name.Length == 0 ? location : name,
        transient: true,
        innerException: failure);
}
