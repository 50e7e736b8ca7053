using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>What an agent says of itself before it is given an order, and with that a key.</summary>
/// <param name="Least">The oldest version of orders that it understands.</param>
/// <param name="Most">The newest.</param>
/// <param name="AgentVersion">Its own version.</param>
internal sealed record RemoteHello(int Least, int Most, string AgentVersion)
{
    private const int MostBytes = 4096;

    /// <summary>Of this program.</summary>
    public static RemoteHello Own { get; } = new(RemoteOrderMessage.Version, RemoteOrderMessage.Version, Product.Version);

    /// <summary>As JSON.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, RemoteJobJson.Default.RemoteHello);

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="BackupException">AgentVersionDiffers.</exception>
    public static RemoteHello Decode(ReadOnlySpan<byte> content)
    {
        RemoteHello said = RemoteJobJson.Read(content, MostBytes, RemoteJobJson.Default.RemoteHello);
        return said with { AgentVersion = RemoteFacts.Line(said.AgentVersion) };
    }
}
