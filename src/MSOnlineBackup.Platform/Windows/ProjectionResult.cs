namespace MSOnlineBackup.Platform.Windows;

/// <summary>HRESULTs of the Projected File System: Win32 errors of winerror.h of the Windows SDK.</summary>
internal static class ProjectionResult
{
    public const int Ok = 0;
    public const int NotFound = Win32 | 2;
    public const int PathNotFound = Win32 | 3;
    public const int AccessDenied = Win32 | 5;

    /// <summary>ERROR_CRC: what was asked for is damaged.</summary>
    public const int Damaged = Win32 | 23;
    public const int SharingViolation = Win32 | 32;
    public const int InvalidParameter = Win32 | 87;
    public const int InsufficientBuffer = Win32 | 122;

    /// <summary>ERROR_FILE_SYSTEM_VIRTUALIZATION_UNAVAILABLE: whoever has it does not answer.</summary>
    public const int Unavailable = Win32 | 369;

    /// <summary>ERROR_FILE_SYSTEM_VIRTUALIZATION_INVALID_OPERATION: an item is not in a state for that.</summary>
    public const int InvalidOperation = Win32 | 385;
    public const int NotDirectory = Win32 | 267;
    public const int Aborted = Win32 | 995;
    public const int DeviceError = Win32 | 1117;

    /// <summary>ERROR_REPARSE_TAG_MISMATCH: a folder is not marked.</summary>
    public const int NotMarked = Win32 | 4394;

    /// <summary>ERROR_REPARSE_POINT_ENCOUNTERED: a folder is marked already, or a link.</summary>
    public const int IsMarked = Win32 | 4395;

    /// <summary>E_OUTOFMEMORY.</summary>
    public const int OutOfMemory = Win32 | 14;

    private const int Win32 = unchecked((int)0x8007_0000);

    /// <summary>What an HRESULT says, and its number.</summary>
    public static string Describe(int result)
    {
        string? text = result switch
        {
            AccessDenied => "access is denied",
            SharingViolation => "it is in use",
            Unavailable => "whoever shows it does not answer",
            NotMarked => "it shows nothing",
            IsMarked => "it shows something already, or is a link",
            OutOfMemory => "there is no memory left",
            _ => null,
        };
        string number = $"0x{unchecked((uint)result):X8}";
        return text is null ? number : $"{text} ({number})";
    }
}
