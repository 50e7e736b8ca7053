using System.Text.RegularExpressions;

namespace MSOnlineBackup.Agent.Schedules.Others;

/// <summary>Something that a scheduler of the system runs.</summary>
/// <param name="Place">Where it stands: the name of a unit, or a file.</param>
/// <param name="Text">What says what it is: the unit's name with its command, or the line.</param>
internal sealed record SystemJob(string Place, string Text);

/// <summary>A job of another product that backs up, or takes snapshots.</summary>
/// <param name="Product">What people call it.</param>
/// <param name="Place">Where it stands.</param>
internal sealed record OtherBackup(string Product, string Place)
{
    /// <summary>Both.</summary>
    public override string ToString() => $"{Product} ({Place})";
}

/// <summary>Finds those among what the system's schedulers run, by the names of their programs. A pure function.</summary>
internal static partial class OtherProducts
{
    private const string Own = "msonlinebackup";

    /// <summary>The jobs of other products, in the order of what was given, each product once for a place. What is commented out does not run; what is ours is none of them.</summary>
    public static IReadOnlyList<OtherBackup> Find(IEnumerable<SystemJob> jobs) =>
    [
        .. jobs.Where(job => !job.Text.TrimStart().StartsWith('#') && !job.Text.Contains(Own, StringComparison.OrdinalIgnoreCase) && !job.Text.Contains("obengine", StringComparison.OrdinalIgnoreCase))
            .SelectMany(job => Names().Matches(job.Text).Select(match => new OtherBackup(match.Value.ToLowerInvariant(), job.Place)))
            .Distinct(),
    ];

    // Whole words, of which a dash or a dot begins another: "restic-backup.timer", "/usr/bin/borg", "zfs-auto-snapshot".
    [GeneratedRegex(
        @"(?<![A-Za-z0-9_])(restic|resticprofile|rustic|borg|borgmatic|borgbackup|vorta|kopia|duplicity|duply|duplicati(-cli|-server)?|duplicacy|rsnapshot|rdiff-backup|backintime|timeshift|btrbk|snapper|"
            + @"zfs-auto-snapshot|sanoid|syncoid|zrepl|burp|bareos-fd|bacula-fd|urbackup(clientctl|clientbackend)?|veeamconfig|veeamjobman|dsmc|plakar|bupstash|proxmox-backup-client|backupninja|deja-dup|autorestic)(?![A-Za-z0-9_])",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Names();
}
