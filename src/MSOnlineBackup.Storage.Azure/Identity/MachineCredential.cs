using Azure;
using Azure.Core;
using Azure.Identity;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>Has another credential's failures say what the user can do about them, and whether they pass.</summary>
internal sealed class MachineCredential(TokenCredential inner) : TokenCredential
{
    private const string Target = "Microsoft Entra ID";

    private volatile bool _hasWorked;

    /// <inheritdoc/>
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        try
        {
            AccessToken token = inner.GetToken(requestContext, cancellationToken);
            _hasWorked = true;
            return token;
        }
        catch (AuthenticationFailedException e)
        {
            throw Explain(e);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        try
        {
            AccessToken token = await inner.GetTokenAsync(requestContext, cancellationToken).ConfigureAwait(false);
            _hasWorked = true;
            return token;
        }
        catch (AuthenticationFailedException e)
        {
            throw Explain(e);
        }
    }

    private BackupException Explain(AuthenticationFailedException failure)
    {
        Exception[] causes = [.. Causes(failure)];
        return causes.OfType<BackupException>().FirstOrDefault() is { } known ? known

            // What has worked is away for a moment: the machine's identity service restarts too.
            : failure is CredentialUnavailableException ? IdentityErrors.NotFound(Target, failure, transient: _hasWorked)
            : causes.Any(IsOfNetwork) ? IdentityErrors.Unreachable(Target, failure)
            : IdentityErrors.Rejected(Target, failure);
    }

    private static bool IsOfNetwork(Exception cause) =>
        cause is HttpRequestException or IOException or OperationCanceledException or RequestFailedException { Status: 0 or 408 or 429 or >= 500 };

    private static IEnumerable<Exception> Causes(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions: var all } => all.SelectMany(Causes).Prepend(failure),
        { InnerException: { } inner } => Causes(inner).Prepend(failure),
        _ => [failure],
    };
}
