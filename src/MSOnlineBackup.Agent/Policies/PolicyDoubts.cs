using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What is allowed in a policy, and probably not meant.</summary>
public static class PolicyDoubts
{
    /// <summary>The doubts about the sources of a policy that can be looked at now, a sentence or two each.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="rules">Which sources are taken.</param>
    public static IReadOnlyList<string> OfSources(BackupPolicy policy, SourceRules rules) =>
        [.. Look(policy, rules).Select(source => OfVerdict(source.Verdict) ?? OfRoot(source.Path, source.Selection)).OfType<string>()];

    /// <summary>Refuses a policy with a source that a backup by these rules would refuse for good. What is only locked or away now is let through,
    /// and so is a paused policy: nothing is backed up by it.</summary>
    /// <exception cref="BackupException">SourceRefused.</exception>
    public static void RequireTaken(BackupPolicy policy, SourceRules rules)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (!policy.IsPaused && Look(policy, rules).Select(source => source.Verdict).FirstOrDefault(verdict => verdict.IsForGood) is { Refusal: { } refusal })
        {
            throw refusal;
        }
    }

    /// <summary>Why a backup by these rules would refuse a folder or file for good; null where it would not.</summary>
    public static BackupException? OfPath(string path, SourceRules rules) =>
        SourceCheck.OnThisSystem(rules, MountTable.Read()).Check(path, SourceSelection.Everything) is { IsForGood: true } verdict ? verdict.Refusal : null;

    /// <summary>The doubts about a retention that only the profile <see cref="PolicyLimits.Open"/> takes.</summary>
    public static string? OfRetention(RetentionPolicy retention)
    {
        try
        {
            PolicyLimits.Mars.CheckRetention(retention);
            return null;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.PolicyLimitExceeded)
        {
            return e.Message;
        }
    }

    private static IEnumerable<(string Path, SourceSelection Selection, SourceVerdict Verdict)> Look(BackupPolicy policy, SourceRules rules)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (!PolicyScope.Of(policy.Kind).NamesFiles || (policy.Files.Count == 0 && policy.Workloads.Count + policy.VirtualMachines.Count > 0))
        {
            return [];
        }

        var check = SourceCheck.OnThisSystem(rules, MountTable.Read());
        return PolicySources.Resolve(policy).Select(source => (source.Path, source.Selection, check.Check(source.Path, source.Selection)));
    }

    private static string? OfVerdict(SourceVerdict verdict) => verdict.Refusal is { } refusal ? TextOf(refusal) : verdict.Warning;

    private static string? OfRoot(string path, SourceSelection selection)
    {
        try
        {
            using ISourceTree tree = SourceTrees.Open(path, selection);
            return tree.Warning;
        }
        catch (BackupException e)
        {
            // Among others what the kernel makes up: /proc, /sys.
            return TextOf(e);
        }
    }

    private static string TextOf(BackupException e) => $"{e.Message} {e.RecommendedAction}";
}
