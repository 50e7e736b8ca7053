using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>A report in a file, readable by its owner only: it names machines. It is there as a whole, or not at all.</summary>
public static class VaultReportFile
{
    /// <summary>The format that a file's extension says.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: none of <c>.html</c>, <c>.htm</c>, <c>.csv</c>, <c>.json</c>.</exception>
    public static ReportFormat FormatOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".HTML" or ".HTM" => ReportFormat.Html,
        ".CSV" => ReportFormat.Csv,
        ".JSON" => ReportFormat.Json,
        _ => throw new BackupException(BackupErrorId.ArgumentInvalid, $"The name of '{path}' does not say what it is to be.", "End it in .html, .csv or .json, or name the format.", path),
    };

    /// <summary>Refuses a file that cannot be written, before anything is read.</summary>
    /// <param name="path">The absolute path.</param>
    /// <param name="replace">Whether what is there is replaced.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it is there, or a folder, or its folder is not.</exception>
    public static void Check(string path, bool replace)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw Invalid(path, "is a folder", "Name a file in it.");
        }

        if (!replace && File.Exists(path))
        {
            throw Invalid(path, "exists", "Name another file, or allow that it is replaced (-Force, --force).");
        }

        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw Invalid(path, "is in a folder that does not exist", "Name a file in an existing folder.");
        }
    }

    /// <summary>Writes it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="path">The absolute path.</param>
    /// <param name="format">As what.</param>
    /// <param name="replace">Whether what is there is replaced.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it cannot be written; what was there is unchanged.</exception>
    public static void Write(VaultReport report, string path, ReportFormat format, bool replace)
    {
        ArgumentNullException.ThrowIfNull(report);
        Check(path, replace);
        byte[] content = Encoding.UTF8.GetBytes(format switch
        {
            ReportFormat.Csv => ReportCsv.Write(report),
            ReportFormat.Json => ReportJson.Write(report),
            _ => ReportPage.Write(report),
        });
        string temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetRandomFileName()}.tmp");
        bool isOurs = false;
        try
        {
            using (FileStream file = PrivateFile.Open(temporary, FileMode.CreateNew))
            {
                isOurs = true;
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, replace);
            isOurs = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, $"cannot be written: {e.Message.TrimEnd('.')}", "Name a file in an existing folder that you may write to.", e);
        }
        finally
        {
            if (isOurs)
            {
                File.Delete(temporary);
            }
        }
    }

    private static BackupException Invalid(string path, string what, string action, Exception? cause = null) =>
        new(BackupErrorId.ArgumentInvalid, $"'{path}' {what}.", action, path, innerException: cause);
}
