using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Sources.SystemState;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What schedules take from the machine around them.</summary>
/// <param name="Conditions">What may keep a backup for later.</param>
/// <param name="Commands">Runs programs of the system.</param>
internal sealed record ScheduleParts(IMachineConditions Conditions, ISystemCommands Commands)
{
    /// <summary>Those of this machine.</summary>
    public static ScheduleParts OfMachine { get; } = new(new MachineConditions(MachineConditions.Supplies, new SystemCommands()), new SystemCommands());
}

/// <summary>A few digits that tell long names apart.</summary>
internal static class ShortDigest
{
    private const int Digits = 8;

    /// <summary>Those of a text.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];
}
