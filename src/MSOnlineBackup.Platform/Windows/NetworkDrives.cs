using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>NETRESOURCEW of winnetwk.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NetResource
{
    public int Scope;
    public int Type;
    public int DisplayType;
    public int Usage;
    public nint LocalName;
    public nint RemoteName;
    public nint Comment;
    public nint Provider;
}

/// <summary>SERVICE_STATUS of winsvc.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ServiceStatus
{
    public int Type;
    public int State;
    public int Controls;
    public int ExitCode;
    public int OwnExitCode;
    public int CheckPoint;
    public int WaitHint;
}

/// <summary>The beginning of QUERY_SERVICE_CONFIGW of winsvc.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ServiceConfiguration
{
    public int Type;
    public int StartType;
}

/// <summary>Those of this session, by mpr.dll; the service by advapi32.dll.</summary>
internal sealed unsafe partial class NetworkDrives : INetworkDrives
{
    // RESOURCETYPE_DISK, CONNECT_TEMPORARY, SC_MANAGER_CONNECT, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS, SERVICE_DISABLED; SERVICE_STOPPED and SERVICE_STOP_PENDING.
    private const int Disk = 1;
    private const uint Temporary = 4;
    private const uint ManagerConnect = 1;
    private const uint ServiceQuery = 1 | 4;
    private const int DisabledStart = 4;
    private const int StoppedState = 1;
    private const int StoppingState = 3;

    // ERROR_CONNECTION_UNAVAIL: it stands for something that is not there.
    private const int ConnectionUnavailable = 1201;

    private const int Room = 1024;

    // QUERY_SERVICE_CONFIGW and its texts have at most that many bytes.
    private const int ConfigurationRoom = 8192;

    /// <inheritdoc/>
    public bool IsTaken(char letter) => (LogicalDrives() >> (char.ToUpperInvariant(letter) - 'A') & 1) != 0;

    /// <inheritdoc/>
    public string? RemoteOf(string drive)
    {
        char* remote = stackalloc char[Room];
        uint length = Room;
        return GetConnection(drive, remote, &length) is 0 or ConnectionUnavailable ? new string(remote) : null;
    }

    /// <inheritdoc/>
    public int Connect(string drive, string remote)
    {
        fixed (char* local = drive, name = remote)
        {
            // The secret in its path is all that the server asks for: no name, no password.
            var resource = new NetResource { Type = Disk, LocalName = (nint)local, RemoteName = (nint)name };
            return AddConnection(&resource, null, null, Temporary);
        }
    }

    /// <inheritdoc/>
    public int Disconnect(string drive, bool force) => CancelConnection(drive, 0, force ? 1 : 0);

    /// <inheritdoc/>
    public WebClientService FindService()
    {
        nint manager = OpenManager(null, null, ManagerConnect);
        nint service = manager == 0 ? 0 : OpenService(manager, "WebClient", ServiceQuery);
        try
        {
            if (service == 0)
            {
                // Where it cannot be asked for another reason, it is not what is missing.
                return manager != 0 && Marshal.GetLastPInvokeError() == NetworkError.ServiceNotThere ? WebClientService.Absent : WebClientService.Running;
            }

            byte* room = stackalloc byte[ConfigurationRoom];
            ServiceStatus status;
            return QueryConfiguration(service, (ServiceConfiguration*)room, ConfigurationRoom, out _) && ((ServiceConfiguration*)room)->StartType == DisabledStart ? WebClientService.Disabled
                : QueryStatus(service, &status) && status.State is StoppedState or StoppingState ? WebClientService.Stopped
                : WebClientService.Running;
        }
        finally
        {
            _ = service != 0 && CloseService(service);
            _ = manager != 0 && CloseService(manager);
        }
    }

    /// <inheritdoc/>
    public string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    [LibraryImport("kernel32", EntryPoint = "GetLogicalDrives")]
    private static partial uint LogicalDrives();

    [LibraryImport("mpr", EntryPoint = "WNetGetConnectionW", StringMarshalling = StringMarshalling.Utf16)]
    private static partial int GetConnection(string local, char* remote, uint* length);

    [LibraryImport("mpr", EntryPoint = "WNetAddConnection2W", StringMarshalling = StringMarshalling.Utf16)]
    private static partial int AddConnection(NetResource* resource, string? password, string? user, uint flags);

    [LibraryImport("mpr", EntryPoint = "WNetCancelConnection2W", StringMarshalling = StringMarshalling.Utf16)]
    private static partial int CancelConnection(string name, uint flags, int force);

    [LibraryImport("advapi32", EntryPoint = "OpenSCManagerW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint OpenManager(string? machine, string? database, uint access);

    [LibraryImport("advapi32", EntryPoint = "OpenServiceW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint OpenService(nint manager, string name, uint access);

    [LibraryImport("advapi32", EntryPoint = "QueryServiceConfigW")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool QueryConfiguration(nint service, ServiceConfiguration* configuration, uint length, out uint needed);

    [LibraryImport("advapi32", EntryPoint = "QueryServiceStatus")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool QueryStatus(nint service, ServiceStatus* status);

    [LibraryImport("advapi32", EntryPoint = "CloseServiceHandle")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CloseService(nint handle);
}
