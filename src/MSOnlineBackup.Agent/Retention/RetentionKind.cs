namespace MSOnlineBackup.Agent.Retention;

/// <summary>Why a recovery point is kept: by which rule of its policy, or by whose wish.</summary>
public enum RetentionKind
{
    /// <summary>As every point is: for the policy's days.</summary>
    Daily,

    /// <summary>Likewise; the point holds only some of the policy's sources, so it stands in for no other.</summary>
    Partial,

    /// <summary>As the point of its week.</summary>
    Weekly,

    /// <summary>As the point of its month.</summary>
    Monthly,

    /// <summary>As the point of its year.</summary>
    Yearly,

    /// <summary>Until a date that was asked for when it was made, whatever the policy says.</summary>
    Asked,
}
