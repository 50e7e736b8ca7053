using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Health;

/// <summary>What else on this machine gets in the way: full folders for temporary files, virus scanners, damaged files of the module.</summary>
internal sealed class LocalChecks(HealthParts parts, HealthContext context, StateFolder state, Func<string> scratch)
{
    private const int ManyFiles = 60_000;
    private const int CachedFiles = 100;

    /// <summary>Whether the files of the module are those that were shipped.</summary>
    public async Task<HealthFinding> CheckModuleAsync(CancellationToken cancellationToken)
    {
        try
        {
            return context.ModuleFolder is not { } folder || await InstalledModule.CheckAsync(folder, cancellationToken).ConfigureAwait(false) is not { } check
                ? HealthFinding.NotApplicable(HealthCheck.ModuleFiles, "There is no list of hashes: this is a checkout, or obengine without the module.")
                : Judge(check);
        }
        catch (BackupException e)
        {
            return HealthFinding.Fail(HealthCheck.ModuleFiles, e.Message, e.RecommendedAction);
        }
    }

    /// <summary>All but that.</summary>
    public IEnumerable<HealthFinding> Run()
    {
        yield return CheckTemporary();
        yield return CheckFiles();
        yield return CheckSnapshots();
    }

    private static HealthFinding Judge(ModuleCheck check)
    {
        const string Repair = "Run Repair-OBModule with the package of this version; or put the whole folder back from a machine where it is sound.";
        string faults = string.Join(", ", check.Faults.Take(5).Select(file => $"'{file.Path}' ({file.State})"));
        if (!check.IsWhole)
        {
            return HealthFinding.Fail(HealthCheck.ModuleFiles, $"Files in '{check.Folder}' are damaged or missing: {faults}.", Repair);
        }

        return faults.Length == 0
            ? HealthFinding.Pass(HealthCheck.ModuleFiles, $"All {check.Files.Count:N0} files in '{check.Folder}' are as they were shipped.")
            : HealthFinding.Warning(
                HealthCheck.ModuleFiles, $"'{check.Folder}' has code that was not shipped: {faults}.", "Find out who has put it there, and delete it.");
    }

    private HealthFinding CheckTemporary()
    {
        int count = List(parts.TemporaryFolder, "*.tmp", ManyFiles).Count;
        return count < ManyFiles
            ? HealthFinding.Pass(HealthCheck.TemporaryFiles, $"'{parts.TemporaryFolder}' has {count:N0} files whose names end with .tmp.")
            : HealthFinding.Warning(
                HealthCheck.TemporaryFiles, $"'{parts.TemporaryFolder}' has {ManyFiles:N0} files or more whose names end with .tmp; programs fail where no name is free.", "Delete those that no program uses.");
    }

    private HealthFinding CheckFiles()
    {
        string cache = state.PathOf("cache");
        string exclude = $"Exclude from virus scanners: '{state.Path}', '{scratch()}' and '{context.ModuleFolder ?? AppContext.BaseDirectory}'.";
        string? locked = File.Exists(cache) ? cache : List(cache, "*", CachedFiles).FirstOrDefault(path => !CanRead(path));
        return locked is null
            ? HealthFinding.Pass(HealthCheck.LocalFiles, $"The files of this machine's state can be read. {exclude}")
            : HealthFinding.Warning(
                HealthCheck.LocalFiles,
                $"'{locked}' cannot be read, so that backups read the index from the vault each time.",
                $"{exclude} Then delete what is named: the next job makes it anew.");
    }

    private HealthFinding CheckSnapshots()
    {
        string? left = List(state.PathOf(StateFolder.Snapshots), "*.json").FirstOrDefault(record => !LocalPoints.Stays(record) && CanHold(record));
        return left is null
            ? HealthFinding.Pass(HealthCheck.Snapshots, "No snapshot of a volume was left behind.")
            : HealthFinding.Warning(
                HealthCheck.Snapshots,
                $"A backup that was killed has left snapshots of volumes behind; '{left}' names them.",
                "Run a backup: it removes them first.");
    }

    // What lies in a folder; nothing where it cannot be listed: whether that matters is another check's.
    private static List<string> List(string folder, string pattern, int limit = 1000)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder, pattern, new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = 0 }).Take(limit)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool CanRead(string path)
    {
        try
        {
            using FileStream file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return true;
        }
        catch (FileNotFoundException)
        {
            // A job that runs has replaced it.
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Whoever has made the snapshots holds the file until they are gone.
    private static bool CanHold(string path)
    {
        try
        {
            using FileStream file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.None);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
