using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>Names of versions, which also come from machines that are believed nothing.</summary>
internal static partial class RemoteNames
{
    /// <summary>Whether it is a version, as <c>--version</c> says it.</summary>
    public static bool IsVersion(string text) => VersionText().IsMatch(text);

    /// <summary>The version that a build is of; null where it is none.</summary>
    public static string? VersionOf(string? build) => build is not null && BuildText().Match(build) is { Success: true } found ? found.Groups["version"].Value : null;

    /// <summary>Whether a version is older than another. Of two that differ only in what marks them before their release, none is.</summary>
    public static bool IsOlder(string version, string than) => Number(version) < Number(than);

    /// <summary>Whether this program is newer than a version.</summary>
    public static bool IsOlderThanThis(string version) => Number(version) < Product.Number;

    private static Version Number(string version) => Version.TryParse(version.Split('-')[0], out Version? number) ? number : new Version();

    [GeneratedRegex(@"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}(-[0-9A-Za-z.]{1,40})?$", RegexOptions.ExplicitCapture)]
    private static partial Regex VersionText();

    [GeneratedRegex(@"^(?<version>[0-9]{1,6}(\.[0-9]{1,6}){1,3}(-[0-9A-Za-z.]{1,40})?)-[0-9a-f]{12}$", RegexOptions.ExplicitCapture)]
    private static partial Regex BuildText();
}
