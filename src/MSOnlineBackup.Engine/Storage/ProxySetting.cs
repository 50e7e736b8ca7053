namespace MSOnlineBackup.Engine.Storage;

/// <summary>A proxy.</summary>
/// <param name="Server">Host name or address.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="UserName">Null where it asks for none.</param>
/// <param name="Password">Null where it asks for none; never shown.</param>
public sealed record ProxySetting(string Server, int Port, string? UserName = null, string? Password = null)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => UserName is null ? $"{Server}:{Port}" : $"{UserName}@{Server}:{Port}";
}
