using System.Globalization;
using System.Text.RegularExpressions;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>What somebody wants a drive to show.</summary>
/// <param name="Point">The recovery point; null for all points of the vault.</param>
/// <param name="Folder">The names of the folder that is to be the drive's root.</param>
internal sealed partial record DriveRoot(RecoveryPoint? Point, string[] Folder)
{
    /// <summary>The word for the newest point.</summary>
    public const string Latest = "latest";

    /// <summary>The word for all points.</summary>
    public const string All = "*";

    /// <summary>Reads what was given for the root: it need not be a point that is there.</summary>
    /// <param name="text">
    /// Nothing or <c>*</c> for all points; a point's id or its beginning, or <c>latest</c>, and a folder of it; a point's time; the text of an object that stands for a point or an item.
    /// </param>
    /// <param name="archive">Where points are looked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RecoveryPointNotFound, RecoveryPointAmbiguous; VaultDataCorrupt, … where it is there and cannot be read.</exception>
    public static async Task<DriveRoot> FindAsync(string text, RecoveryArchive archive, CancellationToken cancellationToken)
    {
        text = text.Trim();
        if (TextOfObject().Match(text) is { Success: true } match && TryReadTime(match.Groups["time"].Value, out DateTimeOffset time))
        {
            return Choose(text, match.Groups["what"].Value, time, await archive.ListAsync(cancellationToken).ConfigureAwait(false));
        }

        string[] names = DrivePath.Split(text);
        if (names[0].Equals(Latest, StringComparison.OrdinalIgnoreCase))
        {
            return new DriveRoot(Newest(text, archive, await archive.ListAsync(cancellationToken).ConfigureAwait(false)), names[1..]);
        }

        // A time may have slashes, too.
        return names is [string id, ..] && id.All(char.IsAsciiHexDigit) && (names.Length == 1 || id.Length >= 6)
            ? new DriveRoot(await archive.FindAsync(id, cancellationToken).ConfigureAwait(false), names[1..])
            : new DriveRoot(await archive.FindAsync(text, cancellationToken).ConfigureAwait(false), []);
    }

    /// <summary>Whether all points of the vault are meant, and the names of the folder among them.</summary>
    public static bool IsAll(string text, out string[] folder)
    {
        string[] names = DrivePath.Split(text.Trim());
        folder = names is [All, ..] ? names[1..] : [];
        return names is [] or [All, ..];
    }

    /// <summary>The path in what an item writes itself as; what is none stays as it is.</summary>
    public static string PathOf(string text) => TextOfObject().Match(text) is { Success: true } match ? match.Groups["what"].Value : text;

    // An object is a point where it names what that holds, and an item in it where it names something else.
    private static DriveRoot Choose(string text, string what, DateTimeOffset time, RecoveryPointList points)
    {
        RecoveryPoint[] begun = [.. points.Where(point => point.Started >= time && point.Started < time.AddSeconds(1))];
        RecoveryPoint[] whole = [.. begun.Where(point => point.SourceNames().Contains(what) || string.Join(", ", point.SourceNames()) == what)];
        RecoveryPoint[] meant = whole.Length > 0 ? whole : begun;
        if (meant is [RecoveryPoint only])
        {
            return new DriveRoot(only, whole.Length > 0 ? [] : DrivePath.OfFullPath(only.Form, what));
        }

        if (meant.Length > 1)
        {
            throw new BackupException(
                BackupErrorId.RecoveryPointAmbiguous,
                $"{meant.Length} recovery points were begun at {time.UtcDateTime:u}, among them {meant[0].SessionId} and {meant[1].SessionId}.",
                "Give the id: -Root $point.RecoveryPointId.",
                text);
        }

        throw points.Damaged.FirstOrDefault(point => point.Begun >= time && point.Begun < time.AddSeconds(1))?.ToError() ?? new BackupException(
            BackupErrorId.RecoveryPointNotFound,
            $"There is no recovery point of {time.UtcDateTime:u}.",
            "Get-OBAllRecoveryPoints lists the recovery points; one may have expired since. For points of another machine, add -MachineName.",
            text);
    }

    private static bool TryReadTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, "u", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    // An older one is not the newest, however damaged that is.
    private static RecoveryPoint Newest(string text, RecoveryArchive archive, RecoveryPointList points)
    {
        RecoveryPoint? newest = points.Count > 0 ? points[0] : null;
        return points.Damaged is [DamagedPoint damaged, ..] && (newest is null || damaged.SessionId.CompareTo(newest.SessionId) > 0)
            ? throw damaged.ToError()
            : newest ?? throw new BackupException(
                BackupErrorId.RecoveryPointNotFound,
                $"'{archive.MachineName}' has no recovery point yet.",
                "Make a backup with Start-OBBackup. For points of another machine, add -MachineName.",
                text);
    }

    // As OBBackupInfo and OBRecoverableItem write themselves.
    [GeneratedRegex(@"^(?<time>\d{4}-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\dZ) (?<what>.+)$", RegexOptions.Singleline)]
    private static partial Regex TextOfObject();
}
