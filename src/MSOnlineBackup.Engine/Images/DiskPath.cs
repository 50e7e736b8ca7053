using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Images;

/// <summary>A place on a disk of a recovery point: <c>vda</c>, <c>vda:2</c>, <c>vda:2:/etc</c>.</summary>
/// <param name="Disk">The disk: its name in the backup of a machine, or its full path in the point.</param>
/// <param name="Part">The partition's number, or the logical volume's name; null for the disk.</param>
/// <param name="Path">The path on the file system of that part; null for the part.</param>
public sealed partial record DiskPath(string Disk, string? Part, string? Path)
{
    /// <summary>Reads what somebody typed.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static DiskPath Parse(string text)
    {
        Match match = Form().Match(text ?? throw new ArgumentNullException(nameof(text)));
        return !match.Success
            ? throw new BackupException(BackupErrorId.ArgumentInvalid, $"'{text}' names no place on a disk.", "Write DISK, DISK:PARTITION, or DISK:PARTITION:/PATH, such as vda:2:/etc.", text)
            : new DiskPath(match.Groups["disk"].Value, Given("part"), Given("path"));

        string? Given(string group) => match.Groups[group] is { Success: true, Length: > 0 } given ? given.Value : null;
    }

    /// <inheritdoc/>
    public override string ToString() => Part is null ? Disk : Path is null ? $"{Disk}:{Part}" : $"{Disk}:{Part}:{Path}";

    [GeneratedRegex(@"^(?<disk>[^\0]+?)(:(?<part>[^:/\\\0]+)(:(?<path>/[^\0]*)?)?)?$", RegexOptions.ExplicitCapture | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
