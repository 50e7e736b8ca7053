using System.Management.Automation;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says what can be done on this machine.</summary>
[Cmdlet(VerbsCommon.Get, "OBCapability")]
[OutputType(typeof(OBCapability))]
public sealed class GetOBCapabilityCommand : OBCmdlet
{
    /// <summary>What, with wildcards; without it everything.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "*";

    /// <inheritdoc/>
    protected override void Process()
    {
        var pattern = new WildcardPattern(Name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        foreach (Capability capability in Agent.Health.FindCapabilities().Where(capability => pattern.IsMatch(capability.Name)))
        {
            WriteObject(capability.ToOutput());
        }
    }
}
