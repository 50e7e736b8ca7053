using System.Reflection;

namespace MSOnlineBackup.Vaults.Versioning;

/// <summary>What this program says of itself.</summary>
public static class Product
{
    /// <summary>The version, as in "1.2.3".</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>The same as numbers that can be compared; what marks a version before its release is left out.</summary>
    public static Version Number { get; } = System.Version.Parse(Version.Split('-')[0]);
}
