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
    internal override void Check(BackupPolicy policy) => PolicySources.Resolve(policy);

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
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = PolicySources.Resolve(policy, only);
        return new ResolvedSources(
            [.. sources.Select(source => new BackupSource.Tree(source.Path, source.Selection))],
            [.. sources.Select(source => (source.Path, 1))],
            IsPartial: sources.Count < PolicySources.Resolve(policy).Count);
    }
}
