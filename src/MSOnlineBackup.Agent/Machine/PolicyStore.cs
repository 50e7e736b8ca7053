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

    internal PolicyStore(StateFolder folder, MachineAccount account, PolicyLimits limits, TimeProvider clock)
    {
        _folder = folder;
        _account = account;
        _limits = limits;
        _clock = clock;
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
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded.</exception>
    public void Check(BackupPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _account.RequireActivated();
        _limits.Check(policy);
    }

    /// <summary>Saves a policy in the place of the one there was of its kind. One that has no id yet is given one.</summary>
    /// <returns>The policy as it was saved.</returns>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated, PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded, StateAccessDenied.</exception>
    public BackupPolicy Set(BackupPolicy policy)
    {
        Check(policy);
        DateTimeOffset now = _clock.GetUtcNow();
        BackupPolicy saved = policy with { Id = policy.Id ?? Guid.CreateVersion7(now > DateTimeOffset.UnixEpoch ? now : DateTimeOffset.UnixEpoch) };
        _folder.Update(NameOf(policy.Kind), _ => Encoding.UTF8.GetBytes(PolicyJson.Write(saved)));
        return saved;
    }

    /// <summary>Removes a policy. The recovery points that it made stay.</summary>
    /// <exception cref="BackupException">PolicyNotFound, StateAccessDenied.</exception>
    public void Remove(PolicyKind kind) => _folder.Update(NameOf(kind), content => content is not null
        ? null
        : throw new BackupException(
            BackupErrorId.PolicyNotFound,
            $"This machine has no policy for {PolicyScope.Of(kind).Label}.",
            "There is nothing to remove."));

    private static string NameOf(PolicyKind kind) => $"policy-{PolicyScope.Of(kind).Key}.json";
}
