namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// Tells whether only those could have changed a file who may do anything on this machine, or in this account, anyway: it says what is run with the backup's
/// rights.
/// </summary>
internal interface IFileTrust
{
    /// <summary>That of this system.</summary>
    static IFileTrust OfThisSystem => OperatingSystem.IsWindows() ? new WindowsFileTrust() : new UnixFileTrust();

    /// <summary>Why others could have, in a sentence; null where they could not.</summary>
    /// <param name="path">A file that is there.</param>
    /// <param name="isScript">Whether it is run; otherwise it is read.</param>
    string? FindFault(string path, bool isScript);
}
