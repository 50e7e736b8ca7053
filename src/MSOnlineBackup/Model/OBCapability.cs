namespace MSOnlineBackup;

/// <summary>Whether something can be done on this machine.</summary>
public enum OBSupport
{
    /// <summary>It can.</summary>
    Yes,

    /// <summary>It can in part, or where something is added; the detail says what.</summary>
    Partly,

    /// <summary>It cannot.</summary>
    No,
}

/// <summary>Something that can or cannot be done on this machine.</summary>
public sealed class OBCapability
{
    /// <summary>What: Files, SystemState, Snapshots, Schedules, AccessControlLists, …</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Whether it can.</summary>
    public OBSupport Support { get; internal init; }

    /// <summary>How, or why not.</summary>
    public string Detail { get; internal init; } = "";

    /// <summary>As in "SystemState: Yes".</summary>
    public override string ToString() => $"{Name}: {Support}";
}
