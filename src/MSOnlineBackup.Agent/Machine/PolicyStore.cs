using System.Text;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>The policies of this machine: at most one of each kind.</summary>
public sealed class PolicyStore
{
    private readonly StateFolder _folder;
    private readonly MachineAccount _account;
    private readonly PolicyLimits _limits;
    private readonly TimeProvider _clock;
    private readonly MovedSources _moved;

    internal PolicyStore(StateFolder folder, MachineAccount account, PolicyLimits limits, TimeProvider clock)
    {
        _folder = folder;
        _account = account;
        _limits = limits;
        _clock = clock;
        _moved = new MovedSources(folder);
    }

    /// <summary>The policy; null where there is none.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public BackupPolicy? Get(PolicyKind kind)
    {
        string file = NameOf(kind);
        if (_folder.Read(file) is not { } content)
        {
            return null;
        }

        try
        {
            return PolicyJson.Read(Encoding.UTF8.GetString(content), _folder.PathOf(file));
        }
        catch (BackupException e) when (e.Id == BackupErrorId.PolicyFileInvalid)
        {
            throw new BackupException(
                BackupErrorId.StateInvalid,
                $"The policy of this machine cannot be read. {e.Message}",
                "Restore the file from a copy, or delete it and set the policy again. Nothing in the vault is affected. If a newer version of MSOnlineBackup wrote it, use that version.",
                _folder.PathOf(file),
                innerException: e);
        }
    }

    /// <summary>The policy, which must be there.</summary>
    /// <exception cref="BackupException">PolicyNotFound, StateInvalid, StateAccessDenied.</exception>
    public BackupPolicy Require(PolicyKind kind)
    {
        PolicyScope scope = PolicyScope.Of(kind);
        return Get(kind) ?? throw new BackupException(BackupErrorId.PolicyNotFound, $"This machine has no policy for {scope.Label}.", scope.Advice);
    }

    /// <summary>All that are saved.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public IEnumerable<BackupPolicy> List() => PolicyScope.All.Select(scope => Get(scope.Kind)).OfType<BackupPolicy>();

    /// <summary>Refuses what cannot be saved.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded, SourceRefused.</exception>
    public void Check(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _account.RequireActivated();
        _limits.Check(policy);
        PolicyDoubts.RequireTaken(policy, _limits.Sources with { Allowed = _account.Settings.AllowedSources });
    }

    /// <summary>Saves a policy in the place of the one there was of its kind. One that has no id yet is given one, and a schedule for every few weeks the day from which they count.</summary>
    /// <returns>The policy as it was saved.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded, SourceRefused, StateAccessDenied.</exception>
    public BackupPolicy Set(BackupPolicy policy)
    {
        Check(policy);
        DateTimeOffset now = _clock.GetUtcNow();
        NoteChange(policy);
        BackupPolicy saved = policy with { Id = policy.Id ?? Guid.CreateVersion7(now > DateTimeOffset.UnixEpoch ? now : DateTimeOffset.UnixEpoch) };
        if (saved.Schedule is { WeekFrequency: > 1, Start: null } schedule)
        {
            DateTimeOffset here = TimeZoneInfo.ConvertTime(now, ScheduleZone.Of(schedule, _clock.LocalTimeZone));
            saved = saved with { Schedule = schedule with { Start = DateOnly.FromDateTime(here.Date) } };
        }

        _folder.Update(NameOf(policy.Kind), _ => Encoding.UTF8.GetBytes(PolicyJson.Write(saved)));
        return saved;
    }

    /// <summary>The shortening of a policy's retention that is in force, if any.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public ShortenedRetention? FindShortened(PolicyKind kind) => Before(kind).Find(Get(kind));

    /// <summary>Whether a policy keeps points for a shorter time than the one that there is of its kind, or than the one that was removed.</summary>
    /// <returns>Null where that cannot be read: it may have kept more.</returns>
    internal bool? Shortens(BackupPolicy policy)
    {
        try
        {
            return FindBefore(policy.Kind)?.Retention is { } before && policy.Retention?.KeepsLessThan(before) != false;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            return null;
        }
    }

    private BackupPolicy? FindBefore(PolicyKind kind) => Get(kind) ?? Before(kind).ReadRemoved();

    // What cannot be read is put right by the policy that is set now; what it kept, nobody knows.
    private void NoteChange(BackupPolicy policy)
    {
        try
        {
            Before(policy.Kind).NoteChange(FindBefore(policy.Kind), policy);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            Before(policy.Kind).Forget();
        }
    }

    private EarlierRetention Before(PolicyKind kind) => new(_folder, kind, _clock);

    /// <summary>What a policy is once all that it has at or below one folder is found at another.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="from">An absolute path, without a separator at its end unless it is a root.</param>
    /// <param name="to">Likewise.</param>
    /// <exception cref="BackupException">PolicyNotFound: it has nothing there.</exception>
    public static BackupPolicy Move(BackupPolicy policy, string from, string to)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentException.ThrowIfNullOrEmpty(from);
        ArgumentException.ThrowIfNullOrEmpty(to);
        return policy.Files.Any(file => MovedSources.IsAtOrBelow(file.Path, from))
            ? policy with { Files = [.. policy.Files.Select(file => MovedSources.IsAtOrBelow(file.Path, from) ? file with { Path = MovedSources.Move(file.Path, from, to) } : file)] }
            : throw new BackupException(
                BackupErrorId.PolicyNotFound, $"No policy of this machine protects '{from}'.", "Get-OBPolicy | Get-OBFileSpec shows what is protected.", from);
    }

    /// <summary>Saves a policy whose sources were moved by <see cref="Move"/>. The next backup compares them with what earlier points have of them.</summary>
    /// <returns>The policy as it was saved.</returns>
    /// <exception cref="BackupException">As of <see cref="Set"/>.</exception>
    public BackupPolicy SetMoved(BackupPolicy policy, string from, string to)
    {
        // Noted first: that a folder moved harms nothing where no policy says so.
        _account.RequireActivated();
        _moved.Note(from, to);
        return Set(policy);
    }

    /// <summary>The paths that a source of a policy had before, the last one first.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    internal IReadOnlyList<string> EarlierPathsOf(string path) => _moved.EarlierPathsOf(path);

    /// <summary>Removes a policy. The recovery points that it made stay.</summary>
    /// <exception cref="BackupException">PolicyNotFound, StateInvalid, StateAccessDenied.</exception>
    public void Remove(PolicyKind kind)
    {
        BackupPolicy policy = Get(kind) ?? throw new BackupException(
            BackupErrorId.PolicyNotFound,
            $"This machine has no policy for {PolicyScope.Of(kind).Label}.",
            "There is nothing to remove.");
        Before(kind).NoteRemoval(policy);
        _folder.Update(NameOf(kind), _ => null);
    }

    private static string NameOf(PolicyKind kind) => $"policy-{PolicyScope.Of(kind).Key}.json";
}
