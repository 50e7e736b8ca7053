using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Schedules;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the agent finds about this machine to what scripts see.</summary>
internal static class HealthConversion
{
    /// <summary>A finding as scripts see it.</summary>
    public static OBHealthTest ToOutput(this HealthFinding finding) => new()
    {
        Id = finding.Check.ToString(),
        Result = Enum.Parse<OBHealthResult>(finding.Verdict.ToString()),
        Cause = finding.Cause,
        Fix = finding.Fix,
        Row = finding.Row,
    };

    /// <summary>A file of the module as scripts see it.</summary>
    public static OBModuleFile ToOutput(this ModuleFile file, string folder) => new()
    {
        Path = file.Path,
        State = Enum.Parse<OBModuleFileState>(file.State.ToString()),
        Folder = folder,
    };

    /// <summary>An update as scripts see it.</summary>
    public static OBAgentUpdate ToOutput(this AgentUpdate update, bool needsNewSession) => new()
    {
        OldVersion = System.Version.Parse(update.Change.OldVersion),
        NewVersion = System.Version.Parse(update.Change.NewVersion),
        Path = update.Change.Folder,
        PreviousPath = update.Change.PreviousFolder,
        NeedsNewSession = needsNewSession,
        Schedules = [.. update.Schedules.Select(AgentSchedules.NameOfKind)],
    };

    /// <summary>A capability as scripts see it.</summary>
    public static OBCapability ToOutput(this Capability capability) => new()
    {
        Name = capability.Name,
        Support = Enum.Parse<OBSupport>(capability.Support.ToString()),
        Detail = capability.Detail,
    };
}
