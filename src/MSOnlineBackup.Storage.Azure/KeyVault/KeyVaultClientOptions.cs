using Azure.Core;
using Azure.Core.Pipeline;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>How a Key Vault is asked: few, small questions, each tried four times within some seconds. Nothing above retries them.</summary>
internal sealed class KeyVaultClientOptions : ClientOptions
{
}

/// <summary>The options of the package's own client.</summary>
internal static class KeyVaultClientOptionsExtensions
{
    public static T Through<T>(this T options, HttpPipelineTransport transport)
        where T : ClientOptions
    {
        options.Transport = transport;
        options.Retry.Delay = TimeSpan.FromMilliseconds(200);
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(30);
        return options;
    }
}
