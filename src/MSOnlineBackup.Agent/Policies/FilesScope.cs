using MSOnlineBackup.Agent.VirtualMachines;
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

        foreach (VirtualMachineSettings machine in policy.VirtualMachines)
        {
            machine.Check();
            if (policy.VirtualMachines.Count(other => other.IsNamed(machine.Name)) > 1 || policy.Workloads.Any(workload => machine.IsNamed(workload.Name)))
            {
                throw new BackupException(
                    BackupErrorId.PolicyInvalid,
                    $"The policy names '{machine.Name}' twice: virtual machines and workloads are told apart by their names, and case does not count.",
                    "Give each a name of its own.",
                    machine.Name);
            }
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
        string[] paths = [.. HasNames(policy) ? only.Where(Path.IsPathRooted) : only];
        string[] names = [.. only.Except(paths)];
        if (names.FirstOrDefault(name => !policy.Workloads.Any(workload => IsNamed(workload, name)) && !policy.VirtualMachines.Any(machine => machine.IsNamed(name))) is { } unknown)
        {
            throw Unknown(policy, unknown);
        }

        bool takesFiles = only.Count == 0 || paths.Length > 0;
        IReadOnlyList<(string Path, SourceSelection Selection)> all = ResolveFiles(policy, []);
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = takesFiles ? ResolveFiles(policy, paths) : [];
        return new ResolvedSources(
            [.. sources.Select(source => new BackupSource.Tree(source.Path, source.Selection))],
            [.. sources.Select(source => (source.Path, 1))],
            IsPartial: sources.Count < all.Count)
        {
            Workloads = only.Count == 0 ? policy.Workloads : [.. policy.Workloads.Where(workload => names.Any(name => IsNamed(workload, name)))],
            VirtualMachines = only.Count == 0 ? policy.VirtualMachines : [.. policy.VirtualMachines.Where(machine => names.Any(machine.IsNamed))],
        };
    }

    private static bool HasNames(BackupPolicy policy) => policy.Workloads.Count + policy.VirtualMachines.Count > 0;

    private static bool IsNamed(WorkloadSettings workload, string name) => workload.Key == WorkloadSettings.KeyOf(name);

    // Where there are workloads or virtual machines a policy need not name files.
    private static IReadOnlyList<(string Path, SourceSelection Selection)> ResolveFiles(BackupPolicy policy, string[] only) =>
        HasNames(policy) && policy.Files.Count == 0 && only.Length == 0 ? [] : PolicySources.Resolve(policy, only);

    private static BackupException Unknown(BackupPolicy policy, string name) => new(
        BackupErrorId.ArgumentInvalid,
        $"'{name}' is neither an absolute path nor a workload or virtual machine of the policy.",
        $"The policy names: {string.Join(", ", policy.Workloads.Select(workload => workload.Name).Concat(policy.VirtualMachines.Select(machine => machine.Name)).Select(each => $"'{each}'"))}.",
        name);
}
