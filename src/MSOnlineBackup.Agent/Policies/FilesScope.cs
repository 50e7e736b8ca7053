using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>The folders and files that a policy names.</summary>
internal sealed class FilesScope : PolicyScope
{
    /// <inheritdoc/>
    public override PolicyKind Kind => PolicyKind.Files;

    /// <inheritdoc/>
    public override string Label => "folders and files";

    /// <inheritdoc/>
    public override string Noun => "OBPolicy";

    /// <inheritdoc/>
    public override string? SourceName => null;

    /// <inheritdoc/>
    internal override string Key => "files";

    /// <inheritdoc/>
    internal override string Advice => "Make one with New-OBPolicy and save it with Set-OBPolicy.";

    /// <inheritdoc/>
    internal override void Check(BackupPolicy policy)
    {
        foreach (WorkloadSettings workload in policy.Workloads)
        {
            workload.Check();
        }

        if (policy.Workloads.GroupBy(workload => workload.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The policy names the workload '{twice.First().Name}' twice: neither capitals nor '-' and '_' tell names apart.",
                "Give each a name of its own.",
                twice.First().Name);
        }

        ResolveFiles(policy, []);
    }

    /// <inheritdoc/>
    internal override void RequireSources(BackupPolicy policy)
    {
        if (policy.Files.FirstOrDefault(file => !file.Exclude && !Path.Exists(file.Path)) is { } missing)
        {
            throw new BackupException(
                BackupErrorId.SourceNotFound,
                $"The policy includes '{missing.Path}', which does not exist.",
                "Mount the disk that it is on, or correct the policy with Remove-OBFileSpec and Add-OBFileSpec.",
                missing.Path);
        }
    }

    /// <inheritdoc/>
    internal override ResolvedSources Resolve(BackupPolicy policy, IReadOnlyList<string> only, string stateFolder)
    {
        // A name is no path, and a path no name.
        string[] paths = [.. policy.Workloads.Count == 0 ? only : only.Where(Path.IsPathRooted)];
        IReadOnlyList<WorkloadSettings> workloads = only.Count == 0
            ? policy.Workloads
            : [.. only.Except(paths).Select(name => policy.Workloads.FirstOrDefault(workload => workload.Key == WorkloadSettings.KeyOf(name)) ?? throw Unknown(policy, name))];
        bool takesFiles = only.Count == 0 || paths.Length > 0;
        IReadOnlyList<(string Path, SourceSelection Selection)> all = ResolveFiles(policy, []);
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = takesFiles ? ResolveFiles(policy, paths) : [];
        return new ResolvedSources(
            [.. sources.Select(source => new BackupSource.Tree(source.Path, source.Selection))],
            [.. sources.Select(source => (source.Path, 1))],
            IsPartial: sources.Count < all.Count)
        {
            Workloads = workloads,
        };
    }

    // Where there are workloads a policy need not name files.
    private static IReadOnlyList<(string Path, SourceSelection Selection)> ResolveFiles(BackupPolicy policy, string[] only) =>
        policy.Workloads.Count > 0 && policy.Files.Count == 0 && only.Length == 0 ? [] : PolicySources.Resolve(policy, only);

    private static BackupException Unknown(BackupPolicy policy, string name) => new(
        BackupErrorId.ArgumentInvalid,
        $"'{name}' is neither an absolute path nor a workload of the policy.",
        $"The policy's workloads are: {string.Join(", ", policy.Workloads.Select(workload => $"'{workload.Name}'"))}.",
        name);
}
