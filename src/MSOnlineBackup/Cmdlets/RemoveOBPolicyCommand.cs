using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Removes the policy for folders and files.</summary>
[Cmdlet(VerbsCommon.Remove, "OBPolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(OBPolicy))]
public sealed class RemoveOBPolicyCommand : SavedPolicyCmdlet
{
    /// <summary>Creates the cmdlet.</summary>
    public RemoveOBPolicyCommand()
        : base(PolicyKind.Files)
    {
    }

    /// <summary>The saved policy, from Get-OBPolicy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>Deletes its recovery points, at once, or with EnablePruning as their retention ends.</summary>
    [Parameter(Position = 1)]
    public SwitchParameter DeleteBackup { get; set; }

    /// <summary>With DeleteBackup: recovery points are kept until their retention ends.</summary>
    [Parameter]
    public SwitchParameter EnablePruning { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (EnablePruning && !DeleteBackup)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                "-EnablePruning says how -DeleteBackup deletes, but -DeleteBackup was not given.",
                "Add -DeleteBackup, or omit -EnablePruning.",
                nameof(EnablePruning));
        }

        // Points carry their retention with them: what is to expire by it does so without the policy.
        Remove(Policy, deleteBackup: DeleteBackup && !EnablePruning);
    }
}
