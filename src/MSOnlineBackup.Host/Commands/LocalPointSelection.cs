using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Snapshots;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The points whose snapshots are on this machine, for commands that work on a vault.</summary>
internal static class LocalPointSelection
{
    /// <summary>Where this account's backups write down their snapshots.</summary>
    public static string Records => RecordsIn(AgentOptions.DefaultStateFolder);

    /// <summary>Where the backups of a state write them down.</summary>
    public static string RecordsIn(string stateFolder) => AgentOptions.SnapshotsIn(stateFolder, SnapshotMode.Auto).Records;

    /// <summary>They, newest first.</summary>
    public static Task<IReadOnlyList<LocalPoint>> ListAsync(CommandContext context) => LocalPoints.ListAsync(Records, context.Stop);

    /// <summary>How far a point has come, for people: "vaulted, local".</summary>
    public static string Word(PointState state, bool hasLocal) => state switch
    {
        PointState.Vaulted => hasLocal ? "vaulted, local" : "vaulted",
        PointState.Uploading => "uploading",
        _ => "local",
    };
}
