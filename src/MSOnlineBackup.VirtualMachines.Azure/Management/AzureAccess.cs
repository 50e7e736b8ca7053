using Azure.Core;
using Azure.Core.Pipeline;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.VirtualMachines.Azure.Management;

/// <summary>How Azure's resource manager, and the disks that it opens, are reached, and who this machine is to it. Nothing is sent before something is asked.</summary>
public sealed class AzureAccess
{
    private const string AuthorityVariable = "AZURE_AUTHORITY_HOST";

    internal AzureAccess(Uri endpoint, TokenCredential credential, HttpPipelineTransport transport, AzurePace pace)
    {
        (Endpoint, Pace) = (endpoint, pace);
        Management = HttpPipelineBuilder.Build(Options(transport, pace), new BearerTokenAuthenticationPolicy(credential, new Uri(endpoint, ".default").AbsoluteUri));
        Pages = HttpPipelineBuilder.Build(Options(transport, pace));
    }

    /// <summary>The resource manager.</summary>
    internal Uri Endpoint { get; }

    /// <summary>How long things take.</summary>
    internal AzurePace Pace { get; }

    /// <summary>What speaks with the resource manager, as this machine.</summary>
    internal HttpPipeline Management { get; }

    /// <summary>What reads and writes disks, by addresses that are open to whoever knows them: no token goes there.</summary>
    internal HttpPipeline Pages { get; }

    /// <summary>The access of this machine, by the identity that is also used for vaults in Azure. The cloud is told by AZURE_AUTHORITY_HOST, as Azure's own tools read it.</summary>
    /// <param name="connection">How Azure is reached. A secret in it is that of a vault, and not used.</param>
    /// <exception cref="BackupException">ArgumentInvalid: AZURE_AUTHORITY_HOST names no cloud that is known.</exception>
    public static AzureAccess Create(VaultConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);

        // The resource manager has public addresses only; whether a disk has a private one is for its own policy to say.
        VaultConnection open = connection with { Secret = null, RequiresPrivateEndpoint = false };
        return new AzureAccess(
            EndpointOf(Environment.GetEnvironmentVariable(AuthorityVariable)), AzureIdentity.CreateTokenCredential(open), AzureTransport.Create(open), new AzurePace { Time = connection.TimeProvider });
    }

    /// <summary>The resource manager of the cloud whose users sign in at a host.</summary>
    internal static Uri EndpointOf(string? authority)
    {
        string host = string.IsNullOrEmpty(authority) ? "login.microsoftonline.com"
            : Uri.TryCreate(authority.Contains("://", StringComparison.Ordinal) ? authority : "https://" + authority, UriKind.Absolute, out Uri? url) ? url.Host
            : authority;
        return new Uri(host switch
        {
            "login.microsoftonline.com" => "https://management.azure.com/",
            "login.microsoftonline.us" => "https://management.usgovcloudapi.net/",
            "login.chinacloudapi.cn" or "login.partner.microsoftonline.cn" => "https://management.chinacloudapi.cn/",
            _ => throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"{AuthorityVariable} names '{host}', whose resource manager is not known.",
                "Virtual machines are backed up in Azure's public cloud, that of the US government, and that of China.",
                host),
        });
    }

    private static AzureAccessOptions Options(HttpPipelineTransport transport, AzurePace pace)
    {
        var options = new AzureAccessOptions
        {
            Transport = transport,

            // Addresses of disks are secrets.
            Diagnostics = { IsLoggingEnabled = false, IsDistributedTracingEnabled = false, ApplicationId = "MSOnlineBackup" },
        };
        options.Retry.MaxRetries = pace.Retries;
        options.Retry.Delay = pace.RetryDelay;
        options.Retry.MaxDelay = pace.LongestRetryDelay;

        // That nothing moves at all is for the transport to notice.
        options.Retry.NetworkTimeout = Timeout.InfiniteTimeSpan;
        return options;
    }
}

/// <summary>The options of the pipelines.</summary>
internal sealed class AzureAccessOptions : ClientOptions;

/// <summary>How long things take. Only tests set any of it.</summary>
internal sealed record AzurePace
{
    /// <summary>How often a request is tried again that Azure could not answer, or asks to be sent later: a throttled job waits some minutes.</summary>
    public int Retries { get; init; } = 8;

    /// <summary>How long is waited before the first of these tries, where Azure does not say; each next time twice that.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest of these waits.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long is waited before an operation is looked at again, where Azure does not say.</summary>
    public TimeSpan PollDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an operation may take.</summary>
    public TimeSpan OperationLimit { get; init; } = TimeSpan.FromHours(2);

    /// <summary>For how long a disk is opened. Reading that takes longer opens it again.</summary>
    public TimeSpan GrantLife { get; init; } = TimeSpan.FromHours(12);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
