using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>Why nothing of a machine, or some of it not, is deleted for good for now: its owner looks at it first, or the time goes by.</summary>
/// <param name="MachineId">The machine.</param>
/// <param name="Since">When what raised it was written (UTC), by the vault's own clock.</param>
/// <param name="Until">Until when nothing of it ends unless the vault's owner releases it.</param>
/// <param name="Cause">What it was, with the figures: a sentence without its full stop.</param>
/// <param name="Kind">What raised it.</param>
public sealed record DeletionBrake(MachineId MachineId, DateTimeOffset Since, DateTimeOffset Until, string Cause, BrakeKind Kind)
{
    /// <summary>What is held, as the beginning of a sentence: "nothing of machine X" or "no point of machine X that …".</summary>
    /// <param name="machine">What the machine is called.</param>
    public string Held(string machine) => Kind == BrakeKind.ShortenedRetention
        ? $"No recovery point of {machine} that retention let go of before its time is deleted for good"
        : $"No recovery point of {machine} is deleted for good";
}

/// <summary>What puts a brake on deletion.</summary>
public enum BrakeKind
{
    /// <summary>Many points were deleted at once. Holds all of the machine.</summary>
    MassDeletion,

    /// <summary>A backup looks like the work of ransomware. Holds all of the machine.</summary>
    UnusualBackup,

    /// <summary>Retention was shortened. Holds the points that went by it before the time that they were made for.</summary>
    ShortenedRetention,
}
