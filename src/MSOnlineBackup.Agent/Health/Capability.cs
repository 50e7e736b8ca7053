namespace MSOnlineBackup.Agent.Health;

/// <summary>Whether something can be done on this machine.</summary>
public enum CapabilitySupport
{
    /// <summary>It can.</summary>
    Yes,

    /// <summary>It can in part, or where something is added; the detail says what.</summary>
    Partly,

    /// <summary>It cannot.</summary>
    No,
}

/// <summary>Something that can or cannot be done on this machine.</summary>
/// <param name="Name">What. The names never change.</param>
/// <param name="Support">Whether it can.</param>
/// <param name="Detail">How, or why not.</param>
public sealed record Capability(string Name, CapabilitySupport Support, string Detail);
