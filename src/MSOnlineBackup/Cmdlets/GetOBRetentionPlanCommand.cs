using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says of each recovery point of this machine whether the next maintenance keeps it, and why; the oldest first.</summary>
[Cmdlet(VerbsCommon.Get, "OBRetentionPlan")]
[OutputType(typeof(OBRetentionDecision))]
public sealed class GetOBRetentionPlanCommand : MaintenanceCmdlet
{
    /// <summary>Only points that the policy of this type decides about.</summary>
    [Parameter(Position = 0)]
    public OBPolicyType? PolicyType { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RetentionPlan plan = await Agent.PlanRetentionAsync(stop).ConfigureAwait(false);
        WarnOfDamage(pump, plan);
        PolicyKind? wanted = PolicyType switch { null => null, OBPolicyType.Files => PolicyKind.Files, _ => PolicyKind.SystemState };
        foreach (PlannedPoint planned in plan.Points.Where(planned => wanted is null || planned.Policy == wanted))
        {
            await pump.WriteObjectAsync(planned.ToOutput()).ConfigureAwait(false);
        }
    });
}
