using System.Management.Automation;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the protection groups that this server knows.</summary>
[Cmdlet(VerbsCommon.Get, "OBProtectionGroup")]
[OutputType(typeof(OBProtectionGroup))]
public sealed class GetOBProtectionGroupCommand : GroupCmdlet
{
    /// <summary>Names of groups, or patterns for them.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(GroupCompleter))]
    [SupportsWildcards]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void Process()
    {
        GroupOverview known = Run((_, stop) => Agent.Groups.ListAsync(stop));
        WriteProblems(known.Problems);
        foreach (string missing in Name.Where(name => !WildcardPattern.ContainsWildcardCharacters(name) && !known.Groups.Any(group => group.Name.Equals(name, StringComparison.OrdinalIgnoreCase))))
        {
            WriteError(ProtectionGroups.NotFound(missing, known.Problems));
        }

        WildcardPattern[] patterns = [.. Name.Select(name => new WildcardPattern(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant))];
        foreach (ProtectionGroup group in known.Groups.Where(group => patterns.Any(pattern => pattern.IsMatch(group.Name))))
        {
            WriteGroup(group);
        }
    }
}
