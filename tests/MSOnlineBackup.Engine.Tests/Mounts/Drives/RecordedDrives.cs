using System.Globalization;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Engine.Tests.Mounts.Drives;

/// <summary>Drives of a session as Windows keeps them: what was connected by an address is shown as a path of the network.</summary>
internal sealed class RecordedDrives : INetworkDrives
{
    /// <summary>What drives stand for.</summary>
    public Dictionary<string, string> Remotes { get; } = [];

    /// <summary>Letters of disks.</summary>
    public string Disks { get; init; } = "C";

    /// <summary>What the next connection ends with.</summary>
    public int Refusal { get; init; }

    /// <summary>What taking off without force ends with.</summary>
    public int Busy { get; set; }

    /// <summary>What taking off by force ends with.</summary>
    public int Stuck { get; set; }

    public WebClientService Service { get; init; } = WebClientService.Running;

    /// <summary>The address that was connected last.</summary>
    public string? Address { get; private set; }

    public bool IsTaken(char letter) => Disks.Contains(letter, StringComparison.Ordinal) || Remotes.ContainsKey($"{letter}:");

    public string? RemoteOf(string drive) => Remotes.GetValueOrDefault(drive);

    public int Connect(string drive, string remote)
    {
        Address = remote;
        if (Refusal == 0)
        {
            var address = new Uri(remote);
            Remotes.Add(drive, string.Create(CultureInfo.InvariantCulture, $@"\\{address.Host}@{address.Port}{address.AbsolutePath.Replace('/', '\\')}"));
        }

        return Refusal;
    }

    public int Disconnect(string drive, bool force)
    {
        int error = force ? Stuck : Busy;
        return error != 0 ? error : Remotes.Remove(drive) ? 0 : NetworkError.NotConnected;
    }

    public WebClientService FindService() => Service;

    public string Describe(int error) => $"the words of Windows for {error}.\r\n";
}
