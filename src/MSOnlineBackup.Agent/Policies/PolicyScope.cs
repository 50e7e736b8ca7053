using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What policies of a kind protect. All in which the kinds differ is here, one class a kind.</summary>
public abstract class PolicyScope
{
    private protected PolicyScope()
    {
    }

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<PolicyScope> All { get; } = [new FilesScope(), new SystemStateScope()];

    /// <summary>The kind.</summary>
    public abstract PolicyKind Kind { get; }

    /// <summary>What is protected, as the end of "the policy for ...".</summary>
    public abstract string Label { get; }

    /// <summary>The cmdlets' noun for such a policy.</summary>
    public abstract string Noun { get; }

    /// <summary>The one name by which jobs and lists call all that is protected; null where each source has its own, its path.</summary>
    public abstract string? SourceName { get; }

    /// <summary>Whether the policy names folders and files.</summary>
    public bool NamesFiles => SourceName is null;

    /// <summary>The name in files and in tags of recovery points: it never changes.</summary>
    internal abstract string Key { get; }

    /// <summary>How such a policy is made and saved, as advice to the user.</summary>
    internal abstract string Advice { get; }

    /// <summary>That of a kind.</summary>
    /// <exception cref="BackupException">PolicyInvalid: there is no such kind.</exception>
    public static PolicyScope Of(PolicyKind kind) => All.FirstOrDefault(scope => scope.Kind == kind)
        ?? throw new BackupException(BackupErrorId.PolicyInvalid, $"There is no policy of the kind {(int)kind}.", "Choose files or the system state.", "kind");

    /// <summary>That by whose policy a backup was made, told by the names of its sources.</summary>
    internal static PolicyScope OfSources(IEnumerable<string> names) =>
        All.FirstOrDefault(scope => scope.SourceName is { } name && names.Contains(name)) ?? All.First(scope => scope.NamesFiles);

    /// <summary>Checks what a policy says it protects. The disk is not looked at.</summary>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PatternInvalid.</exception>
    internal abstract void Check(BackupPolicy policy);

    /// <summary>Refuses where backups of this kind cannot be made on this platform.</summary>
    /// <exception cref="BackupException">NotAvailable.</exception>
    internal virtual void RequireSupport()
    {
    }

    /// <summary>Refuses a policy that names what is not there now.</summary>
    /// <exception cref="BackupException">SourceNotFound.</exception>
    internal virtual void RequireSources(BackupPolicy policy)
    {
    }

    /// <summary>From a policy to what a backup by it reads on this machine.</summary>
    /// <param name="policy">A policy of this kind.</param>
    /// <param name="only">Only the sources that are these paths or lie below them; none for all.</param>
    /// <param name="stateFolder">The folder of the machine's state, where files that must be made are put.</param>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PatternInvalid; ArgumentInvalid where <paramref name="only"/> names no source;
    /// NotAvailable.</exception>
    internal abstract ResolvedSources Resolve(BackupPolicy policy, IReadOnlyList<string> only, string stateFolder);
}
