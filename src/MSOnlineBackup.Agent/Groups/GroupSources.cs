using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>From a group's policy to what each of its machines reads: several paths, and one selection for all of them.</summary>
internal static class GroupSources
{
    /// <summary>The paths, and what of each is taken.</summary>
    /// <remarks>What a policy leaves out is told by full paths, or by names that hold anywhere: said of all sources, it means the same as of the one that it concerns.</remarks>
    /// <exception cref="BackupException">PolicyInvalid where folders lie in each other, or only some are taken with what is below them; PolicyIncomplete.</exception>
    public static (IReadOnlyList<string> Paths, SourceSelection Selection) Of(BackupPolicy policy)
    {
        IReadOnlyList<(string Path, SourceSelection Selection)> sources = PolicySources.Resolve(policy);
        string[] paths = [.. sources.Select(source => source.Path)];
        if (paths.FirstOrDefault(path => paths.Any(other => IsBelow(path, other))) is { } inner)
        {
            throw Invalid($"'{inner}' lies in another folder of the policy.", "Name the outer folder alone, or put the machines that need both into a group each.", inner);
        }

        SourceSelection first = sources[0].Selection;
        if (sources.FirstOrDefault(source => source.Selection.NonRecursive != first.NonRecursive).Path is { } different)
        {
            throw Invalid($"'{different}' is taken with what is below it, or without, and others of the policy are not.", "Take all folders of a group's policy with what is below them, or none.", different);
        }

        return (paths, first with
        {
            Exclude = [.. sources.SelectMany(source => source.Selection.Exclude).Distinct(StringComparer.Ordinal)],
            ExcludeFiles = [.. sources.SelectMany(source => source.Selection.ExcludeFiles).Distinct(StringComparer.Ordinal)],
        });
    }

    private static bool IsBelow(string path, string other) =>
        path.Length > other.Length && path.StartsWith(other, StringComparison.Ordinal) && (Path.EndsInDirectorySeparator(other) || path[other.Length] is '/' or '\\');

    private static BackupException Invalid(string message, string action, string target) =>
        new(BackupErrorId.PolicyInvalid, $"The policy cannot be that of a protection group: {message}", action, target);
}
