using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// What the policy of a kind kept before it was shortened or removed. By it a shortening is told while it is new, and one in two steps (remove the policy, make another) is found.
/// Nothing else goes by it.
/// </summary>
internal sealed class EarlierRetention(StateFolder folder, PolicyKind kind, TimeProvider clock)
{
    // Longer than any brake and any undelete time together.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(360);

    private readonly string _name = NameOf(kind);

    private readonly StateFile<RetentionState> _file = new(
        folder, NameOf(kind), StateJson.Default.RetentionState, "delete it: it only says what the policy kept before");

    /// <summary>The shortening that is in force, if any.</summary>
    /// <param name="current">The policy; null where there is none.</param>
    /// <exception cref="Vaults.Errors.BackupException">StateInvalid, StateAccessDenied.</exception>
    public ShortenedRetention? Find(BackupPolicy? current) =>
        _file.Read() is { Since: { } since } known && RetentionOf(known.Before) is { } before && current?.Retention is { } now && now.KeepsLessThan(before)
            ? new ShortenedRetention(kind, since, before, now)
            : null;

    /// <summary>Notes that a policy takes the place of another. Before it is saved: what is noted for nothing does no harm.</summary>
    /// <param name="before">The policy that there was, or that was removed; null where there was none.</param>
    /// <param name="after">The one that is to be.</param>
    public void NoteChange(BackupPolicy? before, BackupPolicy after)
    {
        RetentionState? known = _file.Read();
        if (before?.Retention is not { } kept || after.Retention is not { } keeps)
        {
            return;
        }

        DateTimeOffset now = clock.GetUtcNow();
        string? longest = known is { Since: { } since, Before: { } earlier } && (now - since).Duration() < _longest ? earlier : null;
        if (keeps.KeepsLessThan(kept))
        {
            _file.Update(_ => new RetentionState(now, longest ?? PolicyJson.Write(before), null));
        }
        else if (known is not null)
        {
            bool isStill = longest is not null && RetentionOf(longest) is { } most && keeps.KeepsLessThan(most);
            _file.Update(_ => isStill ? known with { Removed = null } : new RetentionState(null, null, null));
        }
    }

    /// <summary>Notes that a policy is removed.</summary>
    public void NoteRemoval(BackupPolicy policy) => _file.Update(known => (known ?? new RetentionState(null, null, null)) with { Removed = PolicyJson.Write(policy) });

    /// <summary>Forgets all of it.</summary>
    public void Forget() => folder.Update(_name, _ => null);

    /// <summary>The policy that was removed; null where none was.</summary>
    public BackupPolicy? ReadRemoved() => _file.Read()?.Removed is { } text ? PolicyJson.Read(text, folder.Path) : null;

    private static string NameOf(PolicyKind kind) => $"retention-{PolicyScope.Of(kind).Key}.json";

    private RetentionPolicy? RetentionOf(string? policy) => policy is null ? null : PolicyJson.Read(policy, folder.Path).Retention;
}

/// <summary>What <c>retention-KIND.json</c> holds.</summary>
/// <param name="Since">When the retention was shortened last; null where it was not.</param>
/// <param name="Before">The policy before that, as its own JSON.</param>
/// <param name="Removed">The policy that was removed, as its own JSON; null where there is one.</param>
internal sealed record RetentionState(DateTimeOffset? Since = null, string? Before = null, string? Removed = null);
