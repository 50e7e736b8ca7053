namespace MSOnlineBackup.Host.Rendering;

/// <summary>Shows how far one job is.</summary>
internal interface IProgressDisplay
{
    /// <summary>How often it wants to be told.</summary>
    TimeSpan Interval { get; }

    /// <summary>Shows the reading in place of the one before.</summary>
    void Show(ProgressReading reading);

    /// <summary>Writes a line that stays.</summary>
    void WriteLine(string line);

    /// <summary>Takes away what must not stay. Called once, after the last <see cref="Show"/>.</summary>
    ValueTask CloseAsync();
}
