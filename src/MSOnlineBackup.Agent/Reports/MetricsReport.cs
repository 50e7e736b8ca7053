using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Reports;

/// <summary>
/// Keeps the figures of this machine's jobs in a file that a collector of Prometheus reads, where the machine's settings name one. Whoever reads it sees the
/// old text or the new one.
/// </summary>
/// <param name="account">This machine.</param>
/// <param name="list">Its jobs, oldest first.</param>
internal sealed class MetricsReport(MachineAccount account, Func<IReadOnlyList<JobRecord>> list) : IJobObserver
{
    // The collector runs as another account.
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <inheritdoc/>
    public void Began(JobRecord job)
    {
        // The figures are of jobs that have ended.
    }

    /// <inheritdoc/>
    public void Ended(JobRecord job)
    {
        if (account.Settings.MetricsFile is not { } path)
        {
            return;
        }

        try
        {
            // Its record may still say that it is in progress.
            JobRecord[] jobs = [.. list().Where(known => known.Id != job.Id).Append(job).OrderBy(known => known.Started)];
            Replace(path, JobMetrics.Encode(account.Registration?.MachineName ?? account.Name, jobs));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.MetricsFileUnwritable,
                $"The figures for Prometheus could not be written to '{path}': {e.Message.TrimEnd('.')}.",
                "Create its folder, and let the account that backs up write to it; or name another file: Set-OBMachineSetting -MetricsFile.",
                path,
                innerException: e);
        }
    }

    // Collectors read what ends in .prom; a file under way does not.
    private static void Replace(string path, byte[] content)
    {
        string temporary = $"{path}.new";
        File.Delete(temporary);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = Mode;
            }

            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
            }

            if (!OperatingSystem.IsWindows())
            {
                // Whatever the process takes off new files.
                File.SetUnixFileMode(temporary, Mode);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
