namespace MSOnlineBackup.Platform.Windows;

/// <summary>HRESULTs of the Volume Shadow Copy Service, by vsserror.h of the Windows SDK.</summary>
internal static class VssResult
{
    public const int Pending = 0x0004_2309;
    public const int Finished = 0x0004_230A;
    public const int Cancelled = 0x0004_230B;

    /// <summary>E_NOTIMPL, as Wine answers.</summary>
    public const int NotImplemented = unchecked((int)0x8000_4001);

    /// <summary>E_ABORT, for what somebody else has cancelled.</summary>
    public const int Aborted = unchecked((int)0x8000_4004);

    public const int AccessDenied = unchecked((int)0x8007_0005);

    /// <summary>ERROR_TIMEOUT, for what was given up here.</summary>
    public const int TimedOut = unchecked((int)0x8007_05B4);

    public const int BadState = unchecked((int)0x8004_2301);
    public const int ProviderVeto = unchecked((int)0x8004_2306);
    public const int NotFound = unchecked((int)0x8004_2308);
    public const int VolumeNotSupported = unchecked((int)0x8004_230C);
    public const int VolumeNotSupportedByProvider = unchecked((int)0x8004_230E);
    public const int UnexpectedProviderError = unchecked((int)0x8004_230F);
    public const int TooManyVolumes = unchecked((int)0x8004_2312);
    public const int FlushTimedOut = unchecked((int)0x8004_2313);
    public const int HoldTimedOut = unchecked((int)0x8004_2314);
    public const int UnexpectedWriterError = unchecked((int)0x8004_2315);
    public const int SetInProgress = unchecked((int)0x8004_2316);
    public const int TooManySnapshots = unchecked((int)0x8004_2317);
    public const int WriterInfrastructure = unchecked((int)0x8004_2318);
    public const int WriterNotResponding = unchecked((int)0x8004_2319);
    public const int NoStorage = unchecked((int)0x8004_231F);
    public const int RebootRequired = unchecked((int)0x8004_2327);
    public const int VolumeNotLocal = unchecked((int)0x8004_232D);

    public const int WriterInconsistent = unchecked((int)0x8004_23F0);
    public const int WriterOutOfResources = unchecked((int)0x8004_23F1);
    public const int WriterTimedOut = unchecked((int)0x8004_23F2);
    public const int WriterRetryable = unchecked((int)0x8004_23F3);
    public const int WriterNotRetryable = unchecked((int)0x8004_23F4);

    /// <summary>What an HRESULT says, and its number: "there is no room for shadow copies (0x8004231F)".</summary>
    public static string Describe(int result)
    {
        string number = $"0x{unchecked((uint)result):X8}";
        return TextOf(result) is { } text ? $"{text} ({number})" : number;
    }

    private static string? TextOf(int result) => result switch
    {
        AccessDenied => "access is denied",
        TimedOut => "it took too long",
        NotImplemented => "this system has no such service",
        Aborted => "it was cancelled",
        BadState => "it was not asked in its order",
        ProviderVeto => "the provider refused; the event log of Windows tells why",
        NotFound => "it is not there",
        VolumeNotSupported => "there are no shadow copies of such a volume",
        VolumeNotSupportedByProvider => "the provider makes none of such a volume",
        UnexpectedProviderError => "the provider failed; the event log of Windows tells why",
        TooManyVolumes => "there are too many volumes in one set",
        FlushTimedOut => "the file system could not be written out in time",
        HoldTimedOut => "writing could not be held back in time",
        UnexpectedWriterError => "a writer failed; the event log of Windows tells which",
        SetInProgress => "another shadow copy is being made",
        TooManySnapshots => "the volume has as many shadow copies as it can have",
        WriterInfrastructure => "the writers cannot be reached",
        WriterNotResponding => "it does not answer",
        NoStorage => "there is no room for shadow copies",
        RebootRequired => "Windows has to be restarted first",
        VolumeNotLocal => "the volume is not of this machine",
        WriterInconsistent => "the shadow copy lacks a part of what it needs",
        WriterOutOfResources => "it ran out of memory",
        WriterTimedOut => "it ran out of time between freeze and thaw",
        WriterRetryable => "it failed, and may succeed the next time",
        WriterNotRetryable => "it failed",
        _ => null,
    };
}
