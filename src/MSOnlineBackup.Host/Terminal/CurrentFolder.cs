namespace MSOnlineBackup.Host.Terminal;

/// <summary>The folder in which the process was started.</summary>
internal static class CurrentFolder
{
    /// <summary>Whether it was deleted: then no relative path leads anywhere.</summary>
    public static bool IsGone
    {
        get
        {
            try
            {
                return Directory.GetCurrentDirectory().Length == 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return true;
            }
        }
    }
}
