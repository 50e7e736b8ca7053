namespace MSOnlineBackup.Platform.Unix;

/// <summary>The error numbers that are told apart. Those above 34 differ between Linux and macOS.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoSuchDevice = 6;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int OtherDevice = 18;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int Invalid = 22;
    public const int FileTableFull = 23;
    public const int TooManyOpen = 24;
    public const int NotTerminal = 25;
    public const int NoSpace = 28;
    public const int ReadOnly = 30;
    public const int TooManyLinks = 31;
    public const int Range = 34;

    public static readonly int TryAgain = OperatingSystem.IsMacOS() ? 35 : 11;
    public static readonly int NotImplemented = OperatingSystem.IsMacOS() ? 78 : 38;
    public static readonly int NotEmpty = OperatingSystem.IsMacOS() ? 66 : 39;
    public static readonly int Loop = OperatingSystem.IsMacOS() ? 62 : 40;
    public static readonly int NoAttribute = OperatingSystem.IsMacOS() ? 93 : 61;
    public static readonly int Overflow = OperatingSystem.IsMacOS() ? 84 : 75;
    public static readonly int NotSupported = OperatingSystem.IsMacOS() ? 45 : 95;
    public static readonly int NotConnected = OperatingSystem.IsMacOS() ? 57 : 107;

    /// <summary>Only Linux has it.</summary>
    public static readonly int NoKey = OperatingSystem.IsMacOS() ? int.MaxValue : 126;
    public static readonly int IllegalSequence = OperatingSystem.IsMacOS() ? 92 : 84;
    public static readonly int QuotaExceeded = OperatingSystem.IsMacOS() ? 69 : 122;
}
