using MSOnlineBackup.Engine.Policies;

namespace MSOnlineBackup.Engine.Machine;

/// <summary>The policies of this machine: at most one of each kind.</summary>
public sealed class PolicyStore
{
    /// <summary>The policy; null where there is none.</summary>
    public BackupPolicy? Get(PolicyKind kind) => throw new NotImplementedException();

    /// <summary>Saves a policy, and gives it its id.</summary>
    public BackupPolicy Set(BackupPolicy policy) => throw new NotImplementedException();

    /// <summary>Removes a policy.</summary>
    public void Remove(PolicyKind kind) => throw new NotImplementedException();
}
