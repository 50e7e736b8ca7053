using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that work on protection groups.</summary>
public abstract class GroupCmdlet : OBEngineCmdlet
{
    /// <summary>Writes a group as it is now, and what its places did not take.</summary>
    private protected void WriteGroup(GroupChange change)
    {
        WriteProblems(change.Problems);
        WriteGroup(change.Group);
    }

    /// <summary>Writes a group with how its disk vaults stand.</summary>
    private protected void WriteGroup(ProtectionGroup group) => WriteObject(group.ToOutput(Run((_, stop) => Agent.Groups.ReadDisksAsync(group, stop))));

    /// <summary>Warns of what was not reached or read: it hides no other.</summary>
    private protected void WriteProblems(IEnumerable<BackupException> problems)
    {
        foreach (BackupException problem in problems)
        {
            WriteWarning($"{problem.Message} ({problem.Id}) {problem.RecommendedAction}");
        }
    }

    /// <summary>Places where the user means them.</summary>
    private protected string[] Places(IEnumerable<string> places) => [.. places.Select(VaultPlace)];
}
