using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Agent.Schedules.Others;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What schedules take from the machine around them.</summary>
/// <param name="Conditions">What may keep a backup for later.</param>
/// <param name="Commands">Runs programs of the system.</param>
/// <param name="CronPlaces">Crontabs of the system, and folders of such; null for none.</param>
internal sealed record ScheduleParts(IMachineConditions Conditions, ISystemCommands Commands, IReadOnlyList<string>? CronPlaces = null)
{
    /// <summary>Those of this machine.</summary>
    public static ScheduleParts OfMachine { get; } = new(new MachineConditions(MachineConditions.Supplies, new SystemCommands()), new SystemCommands(), OperatingSystem.IsLinux() ? SystemJobs.CronPlaces : null);
}

/// <summary>A few digits that tell long names apart.</summary>
internal static class ShortDigest
{
    private const int Digits = 8;

    /// <summary>Those of a text.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];
}
