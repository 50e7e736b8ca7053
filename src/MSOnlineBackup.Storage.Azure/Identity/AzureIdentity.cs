using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>Who this machine is to Azure.</summary>
internal static class AzureIdentity
{
    /// <summary>What the environment and the machine's own identity offer.</summary>
    public static TokenCredential CreateTokenCredential(VaultConnection connection, HttpPipelineTransport transport)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new DefaultAzureCredential(new DefaultAzureCredentialOptions { Transport = transport });
    }
}
