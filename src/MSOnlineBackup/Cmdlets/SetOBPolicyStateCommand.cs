using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Pauses the schedule of a policy, or lets it run again. For a saved policy it holds at once; of a draft it becomes part.</summary>
[Cmdlet(VerbsCommon.Set, "OBPolicyState", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBPolicy))]
public sealed class SetOBPolicyStateCommand : OBEngineCmdlet
{
    /// <summary>The policy that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>Paused, or Valid.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OMPolicyStates State { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Policy.ToString(), $"Set state to {State}{(Policy.State == OBObjectState.New ? "" : State == OMPolicyStates.Paused ? ", and take its schedule out of the system's scheduler" : ", and register its schedule with the system's scheduler")}"))
        {
            // Only the state: what else was changed in the draft waits for Set-OBPolicy.
            if (Agent.Policies.Get(Policy.Kind) is { } saved && saved.Id?.ToString() == Policy.PolicyName)
            {
                Agent.Policies.Set(saved with { IsPaused = State == OMPolicyStates.Paused });
                AlignSchedule(Policy.Kind);
            }

            Policy.PolicyState = State;
        }

        WriteObject(Policy);
    }
}
