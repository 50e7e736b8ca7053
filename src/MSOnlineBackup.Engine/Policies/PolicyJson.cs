namespace MSOnlineBackup.Engine.Policies;

/// <summary>A policy as text, for files and for the machine's state.</summary>
public static class PolicyJson
{
    /// <summary>Writes a policy.</summary>
    public static string Write(BackupPolicy policy) => throw new NotImplementedException();

    /// <summary>Reads a policy.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it came from, for messages.</param>
    public static BackupPolicy Read(string json, string source) => throw new NotImplementedException();
}
