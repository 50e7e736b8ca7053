using System.Reflection;

namespace MSOnlineBackup.Engine;

/// <summary>What this program says of itself.</summary>
public static class Agent
{
    /// <summary>The version, as in "1.2.3".</summary>
    public static string Version { get; } =
        typeof(Agent).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
