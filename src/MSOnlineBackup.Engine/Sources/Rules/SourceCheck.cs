using System.Text;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>Decides of each source whether it is taken: the one place for that, whoever asks.</summary>
/// <param name="rules">The rules.</param>
/// <param name="reader">Tells of volumes.</param>
internal sealed class SourceCheck(SourceRules rules, IVolumeReader reader)
{
    /// <summary>By what this system tells.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="mounts">What is mounted.</param>
    public static SourceCheck OnThisSystem(SourceRules rules, IReadOnlyList<MountedVolume> mounts) => new(rules, VolumeReaders.ForThisSystem(mounts));

    /// <summary>Decides. What cannot be read at all is let through: the backup itself says what is wrong with it.</summary>
    /// <param name="path">Its path; a relative one begins in the current folder.</param>
    /// <param name="selection">What of it.</param>
    public SourceVerdict Check(string path, SourceSelection selection)
    {
        if (string.IsNullOrEmpty(path) || PathOf(path) is not { } raw || reader.Read(raw) is not { } volume)
        {
            return SourceVerdict.Fine;
        }

        if (FindLock(path, volume) is { } locked)
        {
            return new SourceVerdict { Refusal = locked, Volume = volume.Device };
        }

        string[] leftOut = rules is { LeavesOutServiceFolders: true } && !rules.Allows(SourceKind.Replicated)
            ? [.. FindServiceFolders(path, raw, selection).Where(name => name != ".stversions")]
            : [];
        SourceFinding[] findings =
        [
            .. SourceFindings.Of(volume),
            .. FindServiceFolders(path, raw, selection).Take(1).Select(name => SourceFindings.OfServiceFolder(name, leftOut.Contains(name))),
        ];
        SourceFinding[] refused = [.. findings.Where(finding => rules.TreatmentOf(finding.Kind) == SourceTreatment.Refuse)];
        SourceFinding[] doubted = [.. findings.Where(finding => rules.TreatmentOf(finding.Kind) == SourceTreatment.Warn)];
        return new SourceVerdict
        {
            Refusal = refused.Length > 0 ? Refuse(path, refused) : null,
            Warning = refused.Length == 0 && doubted.Length > 0 ? Shorten($"'{path}' {string.Join("; it ", doubted.Select(finding => finding.Text))}.") : null,
            LeftOut = leftOut,
            Volume = volume.Device,
        };
    }

    private BackupException Refuse(string path, SourceFinding[] findings)
    {
        string kinds = string.Join(",", findings.Select(finding => finding.Kind).Distinct());
        string options = string.Join(" ", findings.Select(finding => finding.Kind).Distinct().Select(kind => $"--allow-source {SourceRules.OptionOf(kind)}"));
        return new BackupException(
            BackupErrorId.SourceRefused,
            $"The source '{path}' {string.Join("; it ", findings.Select(finding => finding.Text))}. The profile {rules.Name} does not take such sources.",
            $"Name a folder on a local, fixed volume, or allow such sources: Set-OBMachineSetting -AllowSource {kinds}, or 'obengine backup {options}'.",
            path);
    }

    private static BackupException? FindLock(string path, VolumeDescription volume) =>
        volume.LockedBy is { } program ? new BackupException(
            BackupErrorId.SourceLocked,
            $"The source '{path}' is encrypted and locked ({program}).",
            "Unlock it and run the backup again. Earlier recovery points keep what they have of it.",
            path)
        : volume.NotMounted is { IsEncrypted: true } locked ? new BackupException(
            BackupErrorId.SourceLocked,
            $"The source '{path}' is locked: '{locked.Device}', which belongs at '{locked.Point}', is an encrypted volume that is not open.",
            "Unlock and mount it (cryptsetup open, mount), and run the backup again. Earlier recovery points keep what they have of it.",
            path)
        : volume.NotMounted is { } missing ? new BackupException(
            BackupErrorId.SourceNotMounted,
            $"'{path}' is empty: '{missing.Device}', which belongs at '{missing.Point}' by the system's configuration (fstab), is not mounted.",
            $"Mount it. If '{missing.Point}' is to be an ordinary folder, remove its line from fstab.",
            path)
        : null;

    // Those in its path, or in it and not left out by whoever chose the source.
    private static IEnumerable<string> FindServiceFolders(string path, byte[] raw, SourceSelection selection)
    {
        string[] parts = path.Split('/', '\\');
        if (SourceFindings.ServiceFolders.FirstOrDefault(name => parts.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } within)
        {
            return [within];
        }

        // Rarely anything is found, and only then the rules are compiled.
        string[] found = [.. SourceFindings.ServiceFolders.Where(name => Directory.Exists(Path.Combine(path, name)))];
        if (found.Length == 0)
        {
            return found;
        }

        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, raw, OperatingSystem.IsWindows(), selection.ExcludeFiles);
        return found.Where(name => !selection.NonRecursive && !rules.Match(Encoding.UTF8.GetBytes(name)).HasFlag(Exclusion.Folder));
    }

    private static byte[]? PathOf(string path)
    {
        try
        {
            return OperatingSystem.IsWindows() ? WtfName.ToBytes(WindowsPath.Normalize(path)) : UnixPath.Resolve(path);
        }
        catch (BackupException)
        {
            // The backup itself says what is wrong with it.
            return null;
        }
    }

    // A recovery point's texts have a limit.
    private static string Shorten(string text) => text.Length <= RecoveryPointCodec.MaxTextLength ? text : text[..(RecoveryPointCodec.MaxTextLength - 1)] + "…";
}
