namespace MSOnlineBackup.Platform.Windows;

/// <summary>Win32 errors of drives of the network, by winerror.h of the Windows SDK.</summary>
internal static class NetworkError
{
    public const int BadNetPath = 53;
    public const int BadDeviceType = 66;
    public const int BadNetName = 67;
    public const int AlreadyAssigned = 85;
    public const int ServiceDisabled = 1058;
    public const int ServiceNotThere = 1060;
    public const int NotActive = 1062;
    public const int AlreadyRemembered = 1202;
    public const int NoNetOrBadPath = 1203;
    public const int BadProvider = 1204;
    public const int NoNetwork = 1222;
    public const int NotConnected = 2250;
    public const int OpenFiles = 2401;
    public const int DeviceInUse = 2404;

    /// <summary>Whether it is what WNet says where nobody speaks WebDAV for it.</summary>
    public static bool SaysNobodyIsThere(int error) => error is BadNetPath or BadDeviceType or BadNetName or ServiceDisabled or ServiceNotThere or NotActive or NoNetOrBadPath or BadProvider or NoNetwork;
}
