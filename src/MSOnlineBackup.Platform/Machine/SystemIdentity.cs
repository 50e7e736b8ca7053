using System.Globalization;
using System.Runtime.Versioning;
using Microsoft.Win32;

namespace MSOnlineBackup.Platform.Machine;

/// <summary>The families of operating systems.</summary>
public enum SystemFamily
{
    /// <summary>One that this was not made for.</summary>
    Other,

    /// <summary>Linux.</summary>
    Linux,

    /// <summary>macOS.</summary>
    MacOS,

    /// <summary>Windows.</summary>
    Windows,
}

/// <summary>Which operating system this is, as it says itself.</summary>
/// <param name="Family">Its family.</param>
/// <param name="Name">Its name for people, as in "Debian GNU/Linux 12 (bookworm)".</param>
/// <param name="Version">Its version; of Linux that of the kernel.</param>
public sealed record SystemIdentity(SystemFamily Family, string Name, Version Version)
{
    /// <summary>Of Windows, whether it is one for clients: not a server.</summary>
    public bool IsClient { get; init; }

    /// <summary>Of Linux, the distribution's id, as in "debian"; null where it does not say.</summary>
    public string? Distribution { get; init; }

    /// <summary>Of Linux, the distribution's version, as in "12" or "24.04"; null where it has none.</summary>
    public string? Release { get; init; }

    /// <summary>Until when it is mended, where it says so itself.</summary>
    public DateOnly? SupportEnd { get; init; }

    /// <summary>This one.</summary>
    public static SystemIdentity Current { get; } = Read();

    /// <summary>A Linux system.</summary>
    /// <param name="kernel">The kernel's version.</param>
    /// <param name="release">What /etc/os-release says; empty where there is none.</param>
    public static SystemIdentity OfLinux(Version kernel, string release)
    {
        ArgumentNullException.ThrowIfNull(release);
        Dictionary<string, string> values = release.Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0].Trim(), pair => pair[1].Trim().Trim('"', '\''))
            .ToDictionary(group => group.Key, group => group.Last());
        return new SystemIdentity(SystemFamily.Linux, values.GetValueOrDefault("PRETTY_NAME") ?? "Linux", kernel)
        {
            Distribution = values.GetValueOrDefault("ID"),
            Release = values.GetValueOrDefault("VERSION_ID"),
            SupportEnd = DateOnly.TryParseExact(values.GetValueOrDefault("SUPPORT_END"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
                out DateOnly end) ? end : null,
        };
    }

    private static SystemIdentity Read()
    {
        Version version = Environment.OSVersion.Version;
        return OperatingSystem.IsWindows() ? OfWindows(version)
            : OperatingSystem.IsMacOS() ? new SystemIdentity(SystemFamily.MacOS, $"macOS {version}", version)
            : OperatingSystem.IsLinux() ? OfLinux(version, ReadRelease())
            : new SystemIdentity(SystemFamily.Other, Environment.OSVersion.VersionString, version);
    }

    [SupportedOSPlatform("windows")]
    private static SystemIdentity OfWindows(Version version)
    {
        const string Key = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
        string name = Registry.GetValue(Key, "ProductName", null) as string ?? "Windows";
        return new SystemIdentity(SystemFamily.Windows, $"{name} ({version})", version)
        {
            IsClient = Registry.GetValue(Key, "InstallationType", null) as string == "Client",
        };
    }

    private static string ReadRelease()
    {
        foreach (string path in (string[])["/etc/os-release", "/usr/lib/os-release"])
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A system need not have one.
            }
        }

        return "";
    }
}
