using System.Globalization;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>From a policy's files to what a backup reads. The disk is not looked at.</summary>
/// <remarks>
/// An inclusion is the absolute path of a folder or file and becomes a source; <c>\x2A</c> is a '*' that is part of a name. An exclusion becomes
/// a pattern of the sources it concerns. A component of it with '*' or '?' is a pattern (see <see cref="SourceSelection.Exclude"/>), any other is
/// taken as it is. <c>/a/b</c> leaves out that file or folder; <c>/a/*.tmp</c> such names anywhere below <c>/a</c>; both not recursive only
/// the files directly in <c>/a/b</c> or <c>/a</c>; <c>*.tmp</c> such names anywhere. An exclusion that concerns no source does nothing.
/// Mount points are not crossed: what is mounted is included by its own path.
/// </remarks>
public static class PolicySources
{
    /// <summary>The sources, in the policy's order.</summary>
    /// <param name="policy">A policy for files.</param>
    /// <param name="only">Only the sources that are these paths or lie below them; null or none for all.</param>
    /// <exception cref="BackupException">
    /// PolicyIncomplete without any inclusion; PolicyInvalid, naming both, where inclusions overlap or an exclusion covers one, and where there are more than
    /// one recovery point can have (65,536); PatternInvalid;
    /// ArgumentInvalid where <paramref name="only"/> names no source.
    /// </exception>
    public static IReadOnlyList<(string Path, SourceSelection Selection)> Resolve(BackupPolicy policy, IReadOnlyList<string>? only = null) =>
        Resolve(policy, only ?? [], OperatingSystem.IsWindows());

    /// <summary>What a policy backs up, by the path rules of Windows or of other systems.</summary>
    internal static IReadOnlyList<(string Path, SourceSelection Selection)> Resolve(
        BackupPolicy policy, IReadOnlyList<string> only, bool windows)
    {
        ArgumentNullException.ThrowIfNull(policy);
        PolicyExclusion[] exclusions =
            [.. policy.Files.Where(specification => specification.Exclude).Select(specification => PolicyExclusion.Parse(specification, windows))];
        Source[] sources =
            [.. policy.Files.Where(specification => !specification.Exclude).Select(specification => Source.Of(specification, exclusions, windows))];
        if (sources.Length == 0)
        {
            throw new BackupException(
                BackupErrorId.PolicyIncomplete, "The policy names nothing to back up.", "Add at least one folder or file to the policy.");
        }

        if (sources.Length > RecoveryPointCodec.MaxSources)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The policy names {sources.Length:n0} folders and files; a recovery point can have at most {RecoveryPointCodec.MaxSources:n0} sources."),
                "Name folders that hold several of them.");
        }

        foreach (Source source in sources)
        {
            CheckNotCovered(source, exclusions, sources);
        }

        List<Source> resolved = [.. sources.Select(source => Separate(source, sources))];
        return [.. Choose(resolved, only, windows).Select(source => (source.Path.Text, source.Selection))];
    }

    /// <summary>An exclusion may lie above a source only if it carves a hole into another source, in which this one lies.</summary>
    private static void CheckNotCovered(Source source, PolicyExclusion[] exclusions, Source[] sources)
    {
        foreach (PolicyExclusion exclusion in exclusions)
        {
            bool covered = exclusion.LeavesOutEverything
                || (exclusion.DepthOfCover(source.Path) is { } depth
                    && (depth == source.Path.Components.Count
                        || !sources.Any(other => source.Path.IsBelow(other.Path) && other.Path.Components.Count < depth)));
            if (covered)
            {
                throw new BackupException(
                    BackupErrorId.PolicyInvalid,
                    $"The policy includes '{source.Text}', but its exclusion '{exclusion.Text}' leaves all of it out.",
                    "Remove one or the other.",
                    source.Text);
            }
        }
    }

    /// <summary>Sees to it that no source takes what is another's: either it leaves that out, or it can be made to, or the policy is refused.</summary>
    private static Source Separate(Source outer, Source[] sources)
    {
        var others = new List<string>();
        foreach (Source inner in sources.Where(other => !ReferenceEquals(other, outer) && other.Path.IsAtOrBelow(outer.Path)))
        {
            bool isBelow = inner.Path.IsBelow(outer.Path);
            if (isBelow && outer.Selection.NonRecursive)
            {
                // The inner one may be a file that lies directly in the outer one.
                others.Add(inner.Path.ToPattern());
            }
            else if (!isBelow || !outer.LeavesOut(inner.Path))
            {
                throw new BackupException(
                    BackupErrorId.PolicyInvalid,
                    isBelow
                        ? $"The policy includes '{inner.Text}', which is inside '{outer.Text}' and included with it."
                        : $"The policy includes '{outer.Text}' twice (as '{inner.Text}').",
                    isBelow ? $"Remove '{inner.Text}', or exclude the folder that contains it." : "Remove one of the two.",
                    inner.Text);
            }
        }

        return others.Count == 0
            ? outer
            : outer with { Selection = outer.Selection with { Exclude = [.. outer.Selection.Exclude, .. others] } };
    }

    private static IEnumerable<Source> Choose(List<Source> sources, IReadOnlyList<string> only, bool windows)
    {
        PolicyPath[] chosen = [.. only.Select(path => PolicyPath.Parse(path, windows))];
        foreach (PolicyPath path in chosen)
        {
            if (!sources.Any(source => source.Path.IsAtOrBelow(path)))
            {
                throw new BackupException(
                    BackupErrorId.ArgumentInvalid,
                    $"'{path.Text}' is not a source of the policy and does not contain one.",
                    $"Choose from the policy's sources: {string.Join(", ", sources.Select(source => $"'{source.Text}'"))}.",
                    path.Text);
            }
        }

        return chosen.Length == 0 ? sources : sources.Where(source => chosen.Any(source.Path.IsAtOrBelow));
    }

    private sealed record Source(string Text, PolicyPath Path, SourceSelection Selection, ExclusionRules Rules)
    {
        public static Source Of(FileSpecification specification, PolicyExclusion[] exclusions, bool windows)
        {
            PolicyPath path = PolicyPath.Parse(specification.Path, windows);
            if (path.Components is [.., "*"] || (windows && path.Components is [.., "*.*"]))
            {
                // All that is in a folder is the folder.
                path = path with { Components = [.. path.Components.SkipLast(1)] };
            }

            if (path.Components.Any(component => component.AsSpan().ContainsAny('*', '?')))
            {
                throw new BackupException(
                    BackupErrorId.PolicyInvalid,
                    $"The inclusion '{specification.Path}' is a pattern, but items are included by path.",
                    windows
                        ? "Include the folder, and exclude what you do not want with patterns."
                        : @"Include the folder, and exclude what you do not want with patterns. Write a '*' or '?' that is part of a name as \x2A or \x3F.",
                    specification.Path);
            }

            PolicyExclusion[] concerning = [.. exclusions.Where(exclusion => exclusion.Concerns(path))];
            var selection = new SourceSelection
            {
                Exclude = [.. concerning.Where(exclusion => !exclusion.FilesOnly).Select(exclusion => exclusion.Pattern)],
                ExcludeFiles = [.. concerning.Where(exclusion => exclusion.FilesOnly).Select(exclusion => exclusion.Pattern)],
                NonRecursive = specification.NonRecursive,
            };
            return new Source(
                specification.Path, path, selection, ExclusionRules.Compile(selection.Exclude, path.Bytes(..), windows, selection.ExcludeFiles));
        }

        /// <summary>Whether the exclusions leave out a path below this source, or a folder on the way to it.</summary>
        public bool LeavesOut(PolicyPath below)
        {
            int begin = Path.Components.Count;
            return Enumerable.Range(begin + 1, below.Components.Count - begin)
                .Any(end => Rules.Match(below.Bytes(begin..end)).HasFlag(Exclusion.Folder));
        }
    }
}
