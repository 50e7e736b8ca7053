namespace MSOnlineBackup.Platform.Windows;

/// <summary>How the service of Windows stands that drives by WebDAV take.</summary>
internal enum WebClientService
{
    /// <summary>There is none, as on servers without the feature WebDAV-Redirector.</summary>
    Absent,

    /// <summary>It must not start.</summary>
    Disabled,

    /// <summary>It does not run.</summary>
    Stopped,

    /// <summary>It runs, or is about to.</summary>
    Running,
}

/// <summary>Drive letters of this session that stand for folders of the network: WNet of Windows. Each method is one call.</summary>
internal interface INetworkDrives
{
    /// <summary>Whether a letter stands for a drive of any kind.</summary>
    bool IsTaken(char letter);

    /// <summary>What of the network a drive ("R:") stands for, also where nobody is there any more; null for nothing.</summary>
    string? RemoteOf(string drive);

    /// <summary>Has a drive stand for a folder of the network, until the session ends.</summary>
    /// <param name="drive">As "R:".</param>
    /// <param name="remote">As "http://127.0.0.1:40123/0f3c".</param>
    /// <returns>0 or a Win32 error.</returns>
    int Connect(string drive, string remote);

    /// <summary>Has a drive stand for nothing.</summary>
    /// <param name="drive">As "R:".</param>
    /// <param name="force">Also where files of it are open.</param>
    /// <returns>0 or a Win32 error.</returns>
    int Disconnect(string drive, bool force);

    /// <summary>How the service WebClient stands.</summary>
    WebClientService FindService();

    /// <summary>What Windows calls an error.</summary>
    string Describe(int error);
}
