namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>How long what the guest agent is asked may take.</summary>
public sealed record FreezeLimits
{
    /// <summary>How long the agent may take to answer at all.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it may take to hold the file systems still: the guest's own scripts run meanwhile.</summary>
    public TimeSpan Freeze { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long they are held still at most, whatever happens.</summary>
    public TimeSpan Held { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long it is tried to let them go.</summary>
    public TimeSpan Thaw { get; init; } = TimeSpan.FromSeconds(60);
}
