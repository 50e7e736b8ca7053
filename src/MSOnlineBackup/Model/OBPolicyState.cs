namespace MSOnlineBackup;

/// <summary>Whether a policy's schedule runs.</summary>
public sealed class OBPolicyState
{
    /// <summary>The policy.</summary>
    public string PolicyName { get; internal init; } = "";

    /// <summary>Its state.</summary>
    public OMPolicyStates State { get; internal init; }

    /// <summary>The state.</summary>
    public override string ToString() => State.ToString();
}
