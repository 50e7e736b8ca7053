using System.Diagnostics.Tracing;

namespace MSOnlineBackup.Vaults.Telemetry;

/// <summary>
/// The events of the engine, for dotnet-trace and other listeners on this machine. Names, numbers and parameters are documented, and stay. Nothing is done
/// where nobody listens.
/// </summary>
[EventSource(Name = EngineTelemetry.Name)]
internal sealed class EngineEventSource : EventSource
{
    private EngineEventSource()
    {
    }

    /// <summary>The only one.</summary>
    public static EngineEventSource Log { get; } = new();

    /// <summary>An operation begins.</summary>
    [Event(1, Level = EventLevel.Informational)]
    public void OperationStart(string operation) => WriteEvent(1, operation);

    /// <summary>An operation has ended: well (ok), or by an error's id, or since it was stopped (stopped).</summary>
    [Event(2, Level = EventLevel.Informational)]
    public void OperationStop(string operation, string outcome) => WriteEvent(2, operation, outcome);

    /// <summary>An operation does something else.</summary>
    [Event(3, Level = EventLevel.Informational)]
    public void PhaseEntered(string phase) => WriteEvent(3, phase);

    /// <summary>An item was skipped.</summary>
    [Event(4, Level = EventLevel.Warning)]
    public void ItemSkipped(string errorId, string path, string reason) => WriteEvent(4, errorId, path, reason);

    /// <summary>A call on the vault failed, and is tried again.</summary>
    [Event(5, Level = EventLevel.Warning)]
    public void VaultRetried(string errorId, int attempt, string cause) => WriteEvent(5, errorId, attempt, cause);

    /// <summary>Damage was met, and worked around.</summary>
    [Event(6, Level = EventLevel.Warning)]
    public void VaultDamaged(string errorId, string target, string damage) => WriteEvent(6, errorId, target, damage);
}
