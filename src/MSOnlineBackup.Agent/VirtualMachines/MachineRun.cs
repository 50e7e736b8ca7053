using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Agent.VirtualMachines;

/// <summary>By whose policy a recovery point of a virtual machine was made, as a tag of it says: only that one ends it.</summary>
/// <param name="Host">The machine that backed it up, by the name that it had then.</param>
/// <param name="IsScheduled">Whether a schedule wanted it.</param>
internal sealed record MachineRun(string Host, bool IsScheduled)
{
    /// <summary>What the points of virtual machines that policies have made are one series of; see <see cref="Retention.RetentionHistory.SeriesOf"/>. No workload has such a key.</summary>
    public const string Series = ":machine";

    private const string Scheduled = MachineTags.Run + "scheduled:";
    private const string OnDemand = MachineTags.Run + "demand:";

    /// <summary>That of a recovery point; null where it is none of a virtual machine by a policy.</summary>
    public static MachineRun? Of(IEnumerable<string> tags)
    {
        foreach (string tag in tags)
        {
            if (tag.StartsWith(Scheduled, StringComparison.Ordinal))
            {
                return new MachineRun(tag[Scheduled.Length..], IsScheduled: true);
            }

            if (tag.StartsWith(OnDemand, StringComparison.Ordinal))
            {
                return new MachineRun(tag[OnDemand.Length..], IsScheduled: false);
            }
        }

        return null;
    }

    /// <summary>As a tag.</summary>
    public override string ToString() => (IsScheduled ? Scheduled : OnDemand) + Host;
}
