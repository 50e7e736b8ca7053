using MSOnlineBackup.Agent.Remote;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From agents on other machines to what scripts see.</summary>
internal static class AgentConversion
{
    /// <summary>An agent as scripts see it.</summary>
    public static OBAgent ToOutput(this RemoteAgent agent) => new()
    {
        HostName = agent.Machine.HostName,
        State = Enum.Parse<OBAgentState>(agent.State.ToString()),
        Version = agent.Version,
        PreviousVersion = agent.PreviousVersion,
        Platform = agent.Platform,
        UserName = agent.Machine.UserName,
        Port = agent.Machine.Port,
        KeyFilePath = agent.Machine.KeyFilePath,
        HostKey = agent.HostKey,
        Program = agent.Program,
        LastSeen = agent.LastSeen?.UtcDateTime,
        Reason = agent.Reason,
    };
}
