using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>Whether the key that a host shows is pinned.</summary>
public static class HostKeyRules
{
    /// <summary>Decides by what somebody has said.</summary>
    /// <param name="check">What the host shows.</param>
    /// <param name="fingerprints">Fingerprints that were compared by hand, of any of the hosts: <c>SHA256:…</c>; none for nothing.</param>
    /// <param name="acceptNew">Whether the key of a host that is not known yet is taken as it is shown.</param>
    /// <returns>The key to pin; null where nothing is to be: the pinned one stays, or nobody has said anything, and somebody is to be asked.</returns>
    /// <exception cref="BackupException">VaultHostUntrusted: it shows another one than those named. What kept it from being asked.</exception>
    public static HostKey? Decide(HostKeyCheck check, IReadOnlyCollection<string> fingerprints, bool acceptNew)
    {
        ArgumentNullException.ThrowIfNull(check);
        ArgumentNullException.ThrowIfNull(fingerprints);
        if (check.Failure is { } failure)
        {
            throw failure;
        }

        if (check.Shown is not { } shown)
        {
            return null;
        }

        // Whoever names the fingerprint of a key that was changed has compared it.
        return fingerprints.Any(named => Same(named, shown.Fingerprint)) ? shown
            : fingerprints.Count > 0 ? throw RemoteErrors.Different(check.Machine.HostName, shown, check.Known is { } known ? [.. fingerprints, $"{known} (pinned)"] : fingerprints)
            : acceptNew && check.Known is null ? shown
            : null;
    }

    /// <summary>The error where somebody would have to be asked, and nobody can be.</summary>
    public static BackupException Unanswered(HostKeyCheck check)
    {
        ArgumentNullException.ThrowIfNull(check);
        return RemoteErrors.Unknown(check.Machine.HostName, check.Shown ?? throw new ArgumentException("It was not asked.", nameof(check)));
    }

    /// <summary>Whether two fingerprints are the same, with or without what they are by, and what pads them.</summary>
    internal static bool Same(string one, string other) => Bare(one) == Bare(other);

    private static string Bare(string fingerprint) => fingerprint.Trim().Replace("SHA256:", "", StringComparison.OrdinalIgnoreCase).TrimEnd('=');
}
