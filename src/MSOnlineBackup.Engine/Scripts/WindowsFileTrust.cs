using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>By the access list: owned by, and writable for, administrators, the system and its installer, and the account that runs the backup alone.</summary>
internal sealed class WindowsFileTrust : IFileTrust
{
    // SYSTEM, administrators, TrustedInstaller; and those that only stand for others in what is inherited.
    private static readonly string[] _trusted =
        ["S-1-5-18", "S-1-5-32-544", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "S-1-3-0", "S-1-3-4"];

    // Write and append data, delete, change the access list, take the file over; and the generic rights that stand for all, and for writing.
    private const int Changes = 0x2 | 0x4 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x1000_0000 | 0x4000_0000;

    /// <inheritdoc/>
    public string? FindFault(string path, bool isScript) => OperatingSystem.IsWindows() ? Read(path) : throw new PlatformNotSupportedException();

    [SupportedOSPlatform("windows")]
    private static string? Read(string path)
    {
        using WindowsIdentity account = WindowsIdentity.GetCurrent();
        FileSecurity security = new FileInfo(path).GetAccessControl(AccessControlSections.Owner | AccessControlSections.Access);
        return FindFault(
            security.GetOwner(typeof(SecurityIdentifier))?.Value ?? "",
            account.User?.Value ?? "",
            security.GetAccessRules(includeExplicit: true, includeInherited: true, typeof(SecurityIdentifier)).Cast<FileSystemAccessRule>().Select(Of));
    }

    [SupportedOSPlatform("windows")]
    private static FileRight Of(FileSystemAccessRule rule) =>
        new(rule.IdentityReference.Value, (int)rule.FileSystemRights, rule.AccessControlType == AccessControlType.Allow);

    /// <summary>Why others could have changed a file, in a sentence; null where they could not.</summary>
    /// <param name="owner">The SID of its owner.</param>
    /// <param name="self">The SID of the account that runs the backup.</param>
    /// <param name="rights">What its access list says.</param>
    internal static string? FindFault(string owner, string self, IEnumerable<FileRight> rights) =>
        !IsTrusted(owner, self) ? $"It belongs to '{owner}', and must belong to administrators."
        : rights.FirstOrDefault(right => right.IsGranted && (right.Mask & Changes) != 0 && !IsTrusted(right.Account, self)) is { } other
            ? $"'{other.Account}' may change it."
        : null;

    private static bool IsTrusted(string account, string self) => account.Length > 0 && (account == self || _trusted.Contains(account));
}

/// <summary>An entry of an access list.</summary>
/// <param name="Account">The SID of whom it is about.</param>
/// <param name="Mask">Which rights.</param>
/// <param name="IsGranted">Whether it grants them; otherwise it denies them.</param>
internal sealed record FileRight(string Account, int Mask, bool IsGranted);
