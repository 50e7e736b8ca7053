namespace MSOnlineBackup.Platform.SystemLogs;

/// <summary>How much an entry of the system's log matters; the numbers are those of syslog.</summary>
internal enum SystemLogLevel
{
    /// <summary>Something failed.</summary>
    Error = 3,

    /// <summary>Somebody may have to see to it.</summary>
    Warning = 4,

    /// <summary>As it should be, and worth a look.</summary>
    Notice = 5,

    /// <summary>As it should be.</summary>
    Info = 6,
}

/// <summary>An entry for the system's log.</summary>
/// <param name="Time">When, in local time.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="EventId">What kind of entry it is, 1 to 65535.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Fields">More of it by name: capital letters, digits and underscores.</param>
internal sealed record SystemLogEntry(
    DateTimeOffset Time, SystemLogLevel Level, int EventId, string Message, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    /// <summary>By which name the system's logs know this program.</summary>
    public const string Program = "msonlinebackup";

    private const int MaxText = 1500;

    /// <summary>A text as a line of a log may have it: one that came from a file's name must not look like the next line.</summary>
    public static string Line(string text)
    {
        string cut = text.Length <= MaxText ? text : string.Concat(text.AsSpan(0, MaxText), "…");
        return string.Concat(cut.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter));
    }
}

/// <summary>A log of the operating system.</summary>
internal interface ISystemLog
{
    /// <summary>Adds an entry; returns or throws within seconds.</summary>
    /// <exception cref="IOException">The log did not take it.</exception>
    void Write(SystemLogEntry entry);
}
